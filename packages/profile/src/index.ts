export type {
  FunctionTable,
  LabelSetTable,
  LocationTable,
  MappingTable,
  Profile,
  SampleTable,
  StackTable,
  ValueType,
} from './profile.ts';

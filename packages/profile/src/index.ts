export * from './write.ts';
export type {
  FunctionTable,
  LabelSetTable,
  LocationTable,
  MappingTable,
  PathProfile,
  PathTable,
  SampleColumns,
  SampleTable,
  StackTable,
  ValueType,
} from './profile.ts';
export { columnSum } from './column-sum.ts';
export { discard } from './tables/discard.ts';
export { Int64Column, int64sOf } from './tables/int64-column.ts';
export { discardProfile } from './discard-profile.ts';
export { discardTree } from './discard-tree.ts';
export { joinBytes } from './join-bytes.ts';
export { type ProfileError, type ProfileErrorCode, ProfileFailure } from './profile-error.ts';
export { decodePooled, type DecodeResult, decodeProfile } from './codec/decode-profile.ts';
export { StringPool } from './codec/string-pool.ts';
export type { DecodeLimits } from './codec/decode-limits.ts';
export { profileParts } from './codec/encode-profile.ts';
export { checkValid } from './check-valid.ts';
export { type FunctionInput, type LineInput, type LocationInput, type MappingInput } from './build/profile-builder.ts';
export {
  checkLabels,
  type LabelCheck,
  type LabelKind,
  type Labels,
  labelsKey,
  labelsOfSet,
  MAX_LABEL_NAME,
  MAX_LABEL_VALUE_BYTES,
  MAX_LABELS,
} from './labels/labels.ts';
export { compileMatcher, compileMatchers, type Matcher, matchLabels, type MatchOperator } from './labels/matcher.ts';
export { formatSelector, parseSelector, type Selector, type SelectorResult } from './labels/selector.ts';
export {
  formatProfileType,
  inferProfileName,
  makeProfileType,
  parseProfileType,
  type ProfileType,
  type ProfileTypeResult,
  profileTypesOf,
} from './profile-type.ts';
export { parseDurationMs, parseTime, type TimeResult } from './time.ts';
export { type ImportedFile, type ImportFormat, importProfile } from './import/import-profile.ts';
export { mergeProfiles, type MergeOptions, type MergeResult } from './build/merge-profiles.ts';
export { filterProfile } from './filters/filter-profile.ts';
export {
  compileFilters,
  type FilterName,
  filterNames,
  type FiltersResult,
  type FilterTexts,
  isUnfiltered,
  type ProfileFilters,
  usesTags,
} from './filters/profile-filters.ts';
export { binariesOf, type Binary } from './views/binaries.ts';
export { buildTree, labelText, NO_GROUP, type TreeOptions } from './views/build-tree.ts';
export { type Callers, callersOf } from './views/callers.ts';
export { diffFunctions, type DiffTree, diffTrees, type FunctionDiff } from './views/diff.ts';
export { dropUninteresting } from './views/drop-frames.ts';
export { type FoldedOptions, foldedStacks } from './views/folded-stacks.ts';
export { type Frame, frameAt, type FrameColumns, type FrameKind, FrameTable } from './views/frame-table.ts';
export { type FunctionLine, type FunctionLines, linesOfFunction } from './views/function-lines.ts';
export {
  type FunctionColumns,
  functionsOfTree,
  topFunctions,
  functionsOfSide,
  unsortedFunctionsOfTree,
} from './views/functions.ts';
export { binaryKind, frameKind, framesOfLocation } from './views/location-frames.ts';
export {
  calleesTree,
  callersTree,
  invertTree,
  isUnchanged,
  reshapeTree,
  type TreeShaping,
} from './views/reshape-tree.ts';
export type { Amounts, Tree, TreeShape } from './views/tree.ts';
export { buildLimitedTree } from './views/build-limited-tree.ts';
export { nodeOfPath, nodeOfPathId, pathIdOf } from './views/find-node.ts';
export { counted, totalOf } from './views/counted.ts';
export { type LimitedTree, limitTree, REMAINDER, type TreeLimits } from './views/limit-tree.ts';
export { decodeTree, type TreeResult } from './tree-file/decode-tree.ts';
export { encodeTree, TREE_MEDIA_TYPE, TREE_VERSION, type TreeHead } from './tree-file/tree-file.ts';

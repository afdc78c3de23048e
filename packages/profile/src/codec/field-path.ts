import { FIELD_NAMES, type MessageKind } from './field-names.ts';

/** Where in the message the reader is, kept in a few numbers and put into words only when something is wrong. */
export class FieldPath {
  message: MessageKind = 'profile';
  index = -1;
  /** `label` in a sample, `line` in a location. */
  inner: MessageKind | undefined;
  innerIndex = -1;

  enter(message: MessageKind, index = -1): void {
    this.message = message;
    this.index = index;
    this.inner = undefined;
  }

  enterInner(inner: MessageKind, index: number): void {
    this.inner = inner;
    this.innerIndex = index;
  }

  leaveInner(): void {
    this.inner = undefined;
  }

  /** For example `sample[3].label[0].key`. */
  text(field: number): string {
    const nameIn = (kind: MessageKind): string => FIELD_NAMES[kind][field] ?? `field ${field}`;
    const name = field === 0 ? '' : nameIn(this.inner ?? this.message);
    return [this.#outer(), this.inner === undefined ? '' : `${this.inner}[${this.innerIndex}]`, name]
      .filter((part) => part !== '')
      .join('.');
  }

  #outer(): string {
    if (this.message === 'profile') return '';
    if (this.message === 'valueType') return this.index < 0 ? 'period_type' : `sample_type[${this.index}]`;
    return `${this.message}[${this.index}]`;
  }
}

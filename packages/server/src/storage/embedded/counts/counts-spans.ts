/**
 * Which counts a block keeps: a section for each group. A series has days, a day hours, an hour minutes; each of them that has
 * a profile is listed, and has a row or not (`counts-level.ts` says when).
 *
 *     functions                         varint
 *     the function of each rank         varint each, a number in the group's dictionary: the first with this name and file
 *     series, in the index's order:
 *       days                            varint
 *       each day: span; hours           varint
 *         each hour: span; minutes      0: not said; 1: their section follows
 *
 *     span: first millisecond           varint, from the first of the span before (the first one: from 0)
 *           last millisecond            varint, from the first
 *           row                         0: none; 1: its section follows
 *
 * The minutes of an hour are one section: their number, then for each one a span and, without a section of its own, the row.
 */
import { ByteReader, type ByteWriter } from '../bytes.ts';
import { type BlockFileReader, putRef, type SectionRef, soundly, takeRef } from '../block/block-file.ts';
import type { Header } from '../header.ts';
import type { CountsRowReader } from './counts-row.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A stretch of time of one series. All its profiles are within its first and last millisecond. */
export interface CountsSpan {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Reads the sum of its profiles; null when it is not kept. Ids are numbers of the dictionary, in no order. */
  readonly read: ((into: CountsRowReader) => void) | null;
  /** What it is made of; null when that is not known. */
  readonly parts: (() => readonly CountsSpan[]) | null;
}

export interface SpanTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What there is of an hour when it is over; of a day likewise. */
export interface WrittenHour extends SpanTimes {
  readonly row: SectionRef | null;
  readonly minutes: SectionRef | null;
}
export interface WrittenDay extends SpanTimes {
  readonly row: SectionRef | null;
  readonly hours: readonly WrittenHour[];
}

export function writeSpans(functions: Uint32Array, series: readonly (readonly WrittenDay[])[], out: ByteWriter): void {
  out.varint(functions.length);
  for (const own of functions) out.varint(own);
  for (const days of series) {
    out.varint(days.length);
    let before = 0;
    for (const day of days) {
      writeSpan(day, before, out);
      putOptional(out, day.row);
      out.varint(day.hours.length);
      before = day.firstMs;
      for (const hour of day.hours) {
        writeSpan(hour, before, out);
        putOptional(out, hour.row);
        putOptional(out, hour.minutes);
        before = hour.firstMs;
      }
    }
  }
}

export function writeSpan({ firstMs, lastMs }: SpanTimes, before: number, out: ByteWriter): void {
  out.varint(firstMs - before);
  out.varint(lastMs - firstMs);
}

function putOptional(out: ByteWriter, ref: SectionRef | null): void {
  out.varint(ref === null ? 0 : 1);
  if (ref !== null) putRef(out, ref);
}

function takeOptional(input: ByteReader): SectionRef | null {
  return input.varint() === 0 ? null : takeRef(input);
}

/** The kept counts of a group, by series. */
export class GroupCounts {
  readonly #file: BlockFileReader;
  readonly #headers: readonly Header[];
  readonly #functions: Uint32Array;
  readonly #series: (readonly CountsSpan[])[] = [];

  /** `series`: how many the index has. */
  constructor(file: BlockFileReader, ref: SectionRef, series: number, headers: readonly Header[]) {
    this.#file = file;
    this.#headers = headers;
    this.#functions = soundly(file, () => {
      const input = new ByteReader(file.section(ref));
      const functions = input.varint();
      input.expectAtLeast(functions);
      const ranked = Uint32Array.from({ length: functions }, () => input.varint());
      for (let i = 0; i < series; i++) this.#series.push(this.#days(input));
      return ranked;
    });
  }

  days(series: number): readonly CountsSpan[] {
    return this.#series[series] ?? [];
  }

  #days(input: ByteReader): CountsSpan[] {
    const days: CountsSpan[] = [];
    let before = 0;
    for (let rest = input.varint(); rest > 0; rest--) {
      const times = takeSpan(input, before);
      const read = this.#rowIn(takeOptional(input));
      const hours: CountsSpan[] = [];
      before = times.firstMs;
      for (let restHours = input.varint(); restHours > 0; restHours--) {
        const hour = takeSpan(input, before);
        const row = this.#rowIn(takeOptional(input));
        const minutes = takeOptional(input);
        hours.push({
          ...hour,
          read: row,
          parts: minutes === null ? null : () => soundly(this.#file, () => this.#minutes(minutes, hour)),
        });
        before = hour.firstMs;
      }
      days.push({ ...times, read, parts: () => hours });
    }
    return days;
  }

  #minutes(ref: SectionRef, hour: SpanTimes): CountsSpan[] {
    const input = new ByteReader(this.#file.section(ref));
    const minutes: CountsSpan[] = [];
    let before = hour.firstMs;
    for (let rest = input.varint(); rest > 0; rest--) {
      const times = takeSpan(input, before);
      before = times.firstMs;
      const length = input.varint();
      const own = input.raw(length);
      const read = length === 0 ? null : (into: CountsRowReader) => soundly(this.#file, () => this.#read(own, into));
      minutes.push({ ...times, read, parts: null });
    }
    return minutes;
  }

  #rowIn(ref: SectionRef | null): CountsSpan['read'] {
    return ref === null ? null : (into) => soundly(this.#file, () => this.#read(this.#file.section(ref), into));
  }

  #read(bytes: Uint8Array, into: CountsRowReader): void {
    into.read(new ByteReader(bytes), this.#headers);
    for (let i = 0; i < into.length; i++) {
      const rank = into.ids[i] ?? 0;
      if (rank > this.#functions.length) throw new RangeError(`there is no function of rank ${rank}`);
      into.ids[i] = this.#functions[rank - 1] ?? 0;
    }
  }
}

function takeSpan(input: ByteReader, before: number): SpanTimes {
  const firstMs = before + input.varint();
  return { firstMs, lastMs: firstMs + input.varint() };
}

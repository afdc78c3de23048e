import type { ElfSegment, GoLabelsFound, ThreadContextSymbol } from '@everflame/binary';
import type { RuntimeSymbols } from '../runtimes/runtimes.ts';

export type TableContent = { readonly fd: number } | { readonly image: Uint8Array };

/** What the worker that makes unwind tables is asked. */
export type TableRequest =
  | {
      readonly kind: 'identify';
      readonly id: number;
      readonly content: TableContent;
      /** Hex; '' when the mapping's record carried none. */
      readonly expectedBuildId: string;
    }
  | {
      /** How its threads publish their OpenTelemetry contexts. */
      readonly kind: 'thread_context';
      readonly id: number;
      readonly content: TableContent;
    }
  | {
      readonly kind: 'make';
      readonly id: number;
      readonly content: TableContent;
      /** Of the content, in bytes: small ones are made first. */
      readonly size: number;
      /** Where tables are kept over restarts, by build ID; undefined: nowhere. */
      readonly cacheDirectory: string | undefined;
      /** The kernel's array of tables and the slot to put this one in. */
      readonly tablesFd: number;
      readonly slot: number;
    }
  | {
      readonly kind: 'drop';
      readonly id: number;
      readonly tablesFd: number;
      readonly slot: number;
      readonly mapFd: number;
    };

export type TableReply =
  | {
      readonly status: 'identified';
      readonly id: number;
      /** Hex; '' where the file has none. */
      readonly buildId: string;
      readonly size: number;
      /** The executable ones. */
      readonly segments: readonly ElfSegment[];
      /** Of those that are linked into it. */
      readonly runtimes: RuntimeSymbols;
      readonly goLabels: GoLabelsFound;
    }
  | {
      readonly status: 'thread_context';
      readonly id: number;
      readonly symbol: ThreadContextSymbol;
      readonly segments: readonly ElfSegment[];
    }
  | {
      readonly status: 'made';
      readonly id: number;
      /** The kernel's array of this table; the asker's from here on. */
      readonly mapFd: number;
      readonly machine: number;
      readonly flags: number;
      readonly base: number;
      readonly pageCount: number;
      /** In the kernel. */
      readonly byteLength: number;
    }
  /** There is no table to be had from this file; `cause` where that is a loss. */
  | { readonly status: 'none'; readonly id: number; readonly cause: 'malformed_elf' | 'file_changed' | undefined }
  | { readonly status: 'dropped'; readonly id: number };

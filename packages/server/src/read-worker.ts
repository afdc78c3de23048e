/** A reader's thread: answers questions about what is stored, ready to be sent. */
import { parentPort, workerData } from 'node:worker_threads';
import { ProfileFailure } from '@everflame/profile';
import { answerDeployments } from './deployments/deployments.ts';
import { answerLook } from './findings/answer-look.ts';
import { answerOverTime } from './findings/over-time.ts';
import { Garbage } from './garbage.ts';
import { bugOf, type Problem, Refused } from './problem.ts';
import { type Check, startBudget } from './query/budget.ts';
import { answerCallers } from './query/callers.ts';
import { answerBinaries } from './query/binaries.ts';
import { answerCompare } from './query/compare.ts';
import { answerDiff } from './query/diff.ts';
import { answerExport } from './query/export.ts';
import { answerFlamegraph, answerTreeFile } from './query/flamegraph.ts';
import { answerLines } from './query/lines.ts';
import { answerLabels, answerLabelValues, answerProfileTypes, answerSeries } from './query/metadata.ts';
import type { Parameters } from './query/parameters.ts';
import { answerPprof } from './query/pprof.ts';
import {
  jsonReply,
  type QueryReply,
  type QueryRequest,
  type QueryWorkerData,
  type Reply,
} from './query/query-messages.ts';
import { answerQueryRange } from './query/query-range.ts';
import { answerServices } from './query/services.ts';
import { answerTop } from './query/top.ts';
import { EmbeddedReader } from './storage/embedded/reader.ts';
import { StorageError, type StorageReader } from './storage/storage.ts';

type Answerer = (storage: StorageReader, parameters: Parameters, nowMs: number, check: Check) => Promise<unknown>;
type Replier = (storage: StorageReader, parameters: Parameters, nowMs: number, check: Check) => Promise<Reply>;

const json: Readonly<Record<string, Answerer>> = {
  callers: answerCallers,
  compare: answerCompare,
  binaries: answerBinaries,
  deployments: answerDeployments,
  label_values: answerLabelValues,
  labels: answerLabels,
  lines: answerLines,
  look: answerLook,
  over_time: answerOverTime,
  profile_types: answerProfileTypes,
  query_range: answerQueryRange,
  series: answerSeries,
  services: answerServices,
  status: (storage) => storage.status(),
  top: answerTop,
};
/** Those that make their bytes themselves. */
const replies: Readonly<Record<string, Replier>> = {
  diff: answerDiff,
  export: answerExport,
  flamegraph: answerFlamegraph,
  flamegraph_file: answerTreeFile,
  pprof: answerPprof,
};

function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  if (error instanceof StorageError) {
    return { status: error.code === 'sum_overflow' ? 422 : 503, code: `storage_${error.code}`, detail: error.message };
  }
  if (error instanceof ProfileFailure && error.code === 'overflow') {
    const detail = `${error.message} Ask for a shorter range or fewer series.`;
    return { status: 422, code: 'storage_sum_overflow', detail };
  }
  return bugOf(error);
}

async function reply(storage: StorageReader, request: Extract<QueryRequest, { id: number }>): Promise<QueryReply> {
  const { id, question, cancelled } = request;
  const { kind, parameters, nowMs } = question;
  const check = startBudget(budget, cancelled);
  try {
    check();
    const replier = replies[kind];
    if (replier !== undefined) return { kind: 'answer', id, reply: await replier(storage, parameters, nowMs, check) };
    const answerer = json[kind];
    if (answerer === undefined) throw new Error(`no such question: ${kind}`);
    return { kind: 'answer', id, reply: jsonReply(await answerer(storage, parameters, nowMs, check)) };
  } catch (error) {
    return { kind: 'refused', id, problem: problemOf(error) };
  }
}

function send(message: QueryReply): void {
  parentPort?.postMessage(message, message.kind === 'answer' ? [message.reply.body.buffer] : []);
}

const restMs = 3000;

const { dataDir, budget } = workerData as QueryWorkerData;
try {
  const garbage = new Garbage();
  const storage = new EmbeddedReader(dataDir, () => garbage.collectIfMuch());
  let restTimer: NodeJS.Timeout | undefined;
  let isOfWideQuestions = false;
  parentPort?.on('message', (request: QueryRequest) => {
    if ('kind' in request) {
      clearTimeout(restTimer);
      void storage.close();
      parentPort?.close();
    } else {
      void reply(storage, request).then((answer) => {
        send(answer);
        isOfWideQuestions ||= request.isWide;
        if (!isOfWideQuestions) storage.forgetLarge();
        garbage.collectIfMuch();
        // What a question leaves behind is given back when no other follows.
        clearTimeout(restTimer);
        restTimer = setTimeout(() => garbage.collectAtRest(), restMs);
      });
    }
  });
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'failed', problem: problemOf(error) });
  parentPort?.close();
}

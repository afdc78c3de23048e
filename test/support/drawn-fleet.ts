import { encodeProfile, ProfileBuilder } from '@everflame/profile';

/** A process of a drawn fleet: what it runs, as folded stacks `frame@binary;frame 12` with samples for each ten seconds. */
export interface DrawnProcess {
  readonly labels: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly thread: string;
  readonly stacks: readonly string[];
}

const kernel = '[kernel.kallsyms]';
const libc = '/usr/lib/x86_64-linux-gnu/libc.so.6';
const node = '/usr/bin/node';
const postgres = '/usr/lib/postgresql/15/bin/postgres';
const read = `entry_SYSCALL_64@${kernel};do_syscall_64@${kernel};ksys_read@${kernel};vfs_read@${kernel}`;
const send = `entry_SYSCALL_64@${kernel};do_syscall_64@${kernel};__sys_sendto@${kernel};tcp_sendmsg@${kernel};tcp_write_xmit@${kernel}`;
const loop = `_start@${node};main@${node};node::Start(int, char**)@${node};uv_run@${node};uv__io_poll@${node}`;
const tick = `${loop};node::InternalMakeCallback(node::Environment*, v8::Local<v8::Object>)@${node};processTicksAndRejections@//anon`;

/** The shop's stacks; version 1.1.0 renders invoices slower, has a new tax table and no longer formats currency by hand. */
export function shopStacks(version: '1.0.0' | '1.1.0'): readonly string[] {
  const handle = `${tick};handleRequest@//anon`;
  const slow = version === '1.1.0';
  return [
    `${handle};searchCatalogue@//anon;tokenize@//anon;RegExp: \\s+@//anon 61`,
    `${handle};searchCatalogue@//anon;tokenize@//anon 44`,
    `${handle};searchCatalogue@//anon;scoreMatches@//anon 118`,
    `${handle};searchCatalogue@//anon;scoreMatches@//anon;Array.prototype.sort@${node};v8::internal::ArrayPrototypeSort(v8::internal::Isolate*)@${node} 57`,
    `${handle};priceCart@//anon;applyDiscounts@//anon 52`,
    `${handle};priceCart@//anon;applyDiscounts@//anon;matchRule@//anon 33`,
    ...(slow
      ? [
          `${handle};priceCart@//anon;taxTable@//anon 21`,
          `${handle};renderInvoice@//anon;layoutLines@//anon;measureText@//anon 148`,
          `${handle};renderInvoice@//anon;layoutLines@//anon 66`,
        ]
      : [
          `${handle};priceCart@//anon;formatCurrencyByHand@//anon;padStart@${node} 17`,
          `${handle};renderInvoice@//anon;layoutLines@//anon;measureText@//anon 41`,
          `${handle};renderInvoice@//anon;layoutLines@//anon 29`,
        ]),
    `${handle};renderInvoice@//anon;JSON.stringify@${node};v8::internal::JsonStringifier::SerializeObject(v8::internal::Handle<v8::internal::Object>)@${node} 38`,
    `${tick};onParserExecute@//anon;llhttp__internal_execute@${node} 26`,
    `${loop};uv__stream_io@${node};${read};tcp_recvmsg@${kernel};copy_user_generic@${kernel} 22`,
    `${loop};uv__write@${node};${send};__tcp_transmit_skb@${kernel};ip_queue_xmit@${kernel} 31`,
    `${loop};epoll_pwait@${libc};do_epoll_wait@${kernel};schedule@${kernel} 9`,
    `_start@${node};main@${node};node::Start(int, char**)@${node};v8::internal::Heap::CollectGarbage(v8::internal::AllocationSpace, v8::internal::GarbageCollectionReason)@${node};v8::internal::Scavenger::Process@${node} 46`,
    `_start@${node};[node+0x9f3c20]@${node} 4`,
  ];
}

const backend = `_start@${postgres};main@${postgres};PostmasterMain@${postgres};BackendStartup@${postgres};PostgresMain@${postgres};exec_simple_query@${postgres}`;
const postgresStacks: readonly string[] = [
  `${backend};PortalRun@${postgres};ExecutorRun@${postgres};ExecHashJoin@${postgres};ExecScan@${postgres};heap_getnextslot@${postgres} 88`,
  `${backend};PortalRun@${postgres};ExecutorRun@${postgres};ExecHashJoin@${postgres};hash_search_with_hash_value@${postgres} 51`,
  `${backend};PortalRun@${postgres};ExecutorRun@${postgres};ExecSort@${postgres};tuplesort_performsort@${postgres};qsort_tuple@${postgres} 47`,
  `${backend};pg_plan_queries@${postgres};planner@${postgres};standard_planner@${postgres};query_planner@${postgres} 24`,
  `${backend};PortalRun@${postgres};ExecutorRun@${postgres};heap_getnextslot@${postgres};ReadBuffer@${postgres};${read};ext4_file_read_iter@${kernel};filemap_read@${kernel} 36`,
  `${backend};finish_xact_command@${postgres};XLogFlush@${postgres};entry_SYSCALL_64@${kernel};do_fsync@${kernel};ext4_sync_file@${kernel} 13`,
];
const idleStacks: readonly string[] = [
  `kthread@${kernel};worker_thread@${kernel};process_one_work@${kernel};wb_workfn@${kernel};writeback_sb_inodes@${kernel} 7`,
  `kthread@${kernel};smpboot_thread_fn@${kernel};run_ksoftirqd@${kernel};net_rx_action@${kernel} 5`,
];
const agentStacks: readonly string[] = [
  `_start@${node};main@${node};uv_run@${node};drainCounts@//anon;bpf_map_lookup_batch@/usr/lib/libbpf.so.1;entry_SYSCALL_64@${kernel};__sys_bpf@${kernel} 2`,
  `_start@${node};main@${node};uv_run@${node};encodeProfile@//anon 1`,
];

/** A small fleet as an agent would see it, with the shop in the version given. */
export function drawnFleet(version: '1.0.0' | '1.1.0'): readonly DrawnProcess[] {
  const host = { host_name: 'node-1' };
  const one = (
    service: string,
    executable: string,
    pid: number,
    stacks: readonly string[],
    more = {},
  ): DrawnProcess => ({
    labels: { service_name: service, process_executable_name: executable, ...host, ...more },
    pid,
    thread: executable,
    stacks,
  });
  return [
    one('shop', 'node', 4100, shopStacks(version), { service_version: version }),
    one('postgres', 'postgres', 812, postgresStacks, { service_version: '15.6' }),
    one('kernel', 'kworker', 2, idleStacks),
    one('everflame-agent', 'node', 990, agentStacks, { service_version: '0.1.0' }),
  ];
}

const periodNs = 10_101_010n;

/** Profile of one process over ten seconds. `noise` 0 gives exactly the samples drawn. */
export function drawnProfile(process: DrawnProcess, startMs: number, noise: number, random: () => number): Uint8Array {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: periodNs,
    timeNanos: BigInt(startMs) * 1_000_000n,
    durationNanos: 10_000_000_000n,
  });
  const labels = builder.labelSet([
    { key: 'process_pid', text: String(process.pid) },
    { key: 'thread_name', text: process.thread },
    { key: 'thread_id', text: String(process.pid) },
  ]);
  for (const folded of process.stacks) {
    const [, path = '', drawn = '1'] = /^(.*) (\d+)$/u.exec(folded) ?? [];
    let stack = 0;
    for (const cell of path.split(';')) {
      const at = cell.lastIndexOf('@');
      const name = cell.slice(0, at);
      const mapping = builder.mapping({ file: cell.slice(at + 1) });
      stack = builder.stack(stack, builder.location({ mapping, lines: [{ function: builder.function({ name }) }] }));
    }
    const samples = BigInt(Math.max(Math.round(Number(drawn) * (1 + noise * (random() * 2 - 1))), 0));
    builder.add(stack, labels, [samples, samples * periodNs]);
  }
  return encodeProfile(builder.build());
}

/** Numbers from 0 to 1, always the same ones. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Posts a profile; its labels are the query string. */
export async function postProfile(
  server: string,
  body: Uint8Array,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const url = new URL('/api/v1/profiles', server);
  for (const [name, value] of Object.entries(labels)) url.searchParams.set(name, value);
  const response = await fetch(url, { method: 'POST', body });
  if (response.status !== 202) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`);
}

/** Fills a server with the last `minutes` of the drawn fleet; the newer half runs version 1.1.0 of the shop. */
export async function postFleet(server: string, minutes: number, noise: number, nowMs = Date.now()): Promise<void> {
  const random = seededRandom(7);
  const last = Math.floor(nowMs / 10_000) * 10_000 - 10_000;
  const first = last - minutes * 60_000;
  const posts: Promise<void>[] = [];
  for (let start = first; start < last; start += 10_000) {
    const version = start < first + minutes * 30_000 ? '1.0.0' : '1.1.0';
    for (const process of drawnFleet(version)) {
      posts.push(postProfile(server, drawnProfile(process, start, noise, random), process.labels));
    }
  }
  await Promise.all(posts);
}

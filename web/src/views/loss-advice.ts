/** What can be done about a loss, by its name or `name/cause`; agents of other versions may tell of others. */
const advice: Readonly<Record<string, string>> = {
  'samples_lost/ring_full': 'The agent was not scheduled in time: give it CPU, or sample less often.',
  'samples_lost/copy_failed': 'Nothing: the stack was not in memory when the sample was taken.',
  'samples_lost/interval_dropped': 'The agent’s log says why; its queue may be full.',
  records_lost: 'Processes came and went faster than the agent read of them: give it CPU.',
  'reads_failed/process_gone': 'Nothing: the process lived shorter than a look at it takes.',
  'reads_failed/permission': 'Run the agent as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.',
  'reads_failed/file_gone': 'The binary was replaced while it ran: restart the process to have its names.',
  'reads_failed/file_changed': 'The binary was replaced while it ran: restart the process to have its names.',
  'reads_failed/kallsyms': 'Set kernel.kptr_restrict to 1 or 0, and run the agent as root.',
  'reads_failed/perf_map': 'The runtime writes its map while it runs: a few are usual.',
  reads_failed: 'The agent’s log names the file.',
  'stacks_truncated/no_table': 'Build this code with frame pointers or unwind tables.',
  'stacks_truncated/gap': 'Build this code with frame pointers.',
  'stacks_truncated/frame_pointer': 'A 32-bit program: build it with frame pointers.',
  stacks_truncated: 'The roots of these stacks are missing; what is hot in them is right.',
  stacks_guessed: 'Build this code with unwind tables to be sure of its callers.',
  tables_refused: 'More code than the memory for tables holds: its stacks are unwound by the agent.',
  'batches_dropped/queue_full': 'The server was away for longer than the queue lasts: enlarge it.',
  'batches_dropped/refused': 'The server’s log says why.',
  batches_dropped: 'Look at the disk of the agent’s queue.',
};

export function adviceFor(name: string, cause: string): string {
  return advice[`${name}/${cause}`] ?? advice[name] ?? 'The agent’s log may tell more.';
}

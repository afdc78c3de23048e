import { expect, test } from 'vitest';

import { checkHost, explainFailure, formatFinding, type HostView } from './check-host.ts';
import { LibbpfMissing } from './libbpf.ts';
import { SystemError } from './libc.ts';

const allCapabilities = '000001ffffffffff';

function host(changes: Partial<HostView> & { capabilities?: string; files?: Record<string, string> } = {}): HostView {
  const files: Record<string, string> = {
    '/proc/self/status': `Name:\tnode\nCapEff:\t${changes.capabilities ?? allCapabilities}\n`,
    '/proc/sys/kernel/perf_event_paranoid': '2\n',
    '/proc/sys/kernel/kptr_restrict': '0\n',
    ...changes.files,
  };
  return {
    platform: 'linux',
    architecture: 'x64',
    release: '6.1.0-18-amd64',
    read: (path) => files[path],
    canRead: () => true,
    readLink: () => 'pid:[4026531836]',
    libbpfProblem: () => undefined,
    ...changes,
  };
}

const codes = (view: HostView): string[] => checkHost(view).map((finding) => finding.code);

test('a host that has everything has no findings', () => {
  expect(codes(host())).toEqual([]);
});

test.each<[string, readonly number[], readonly string[]]>([
  ['none', [], ['not_permitted']],
  ['BPF', [39], ['not_permitted']],
  ['PERFMON and BPF', [38, 39], ['no_ptrace', 'no_file_access', 'no_kernel_names']],
  ['these and SYS_PTRACE', [38, 39, 19], ['no_file_access', 'no_kernel_names']],
  ['these and DAC_READ_SEARCH', [38, 39, 19, 2], ['no_kernel_names']],
  ['these and SYSLOG: no CAP_SYS_RESOURCE', [38, 39, 19, 2, 34], []],
  ['SYS_ADMIN in place of two of them', [21, 19, 1, 34], []],
])('of the capabilities %s %j', (_, bits, expected) => {
  const held = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  expect(codes(host({ capabilities: held.toString(16).padStart(16, '0') }))).toEqual(expected);
});

test('kernel names are open to all where nothing restricts them', () => {
  const files = { '/proc/sys/kernel/perf_event_paranoid': '1\n' };
  const capabilities = ((1n << 38n) | (1n << 39n)).toString(16);
  expect(codes(host({ capabilities, files }))).toEqual(['no_ptrace', 'no_file_access']);
});

test.each([
  ['5.7.19', ['kernel_too_old']],
  ['5.8.0', []],
  ['4.18.0-553.el8', ['kernel_too_old']],
  ['6.18.44-fc-v657', []],
])('kernel %s has the findings %j', (release, expected) => {
  expect(codes(host({ release }))).toEqual(expected);
});

test('each thing that is missing is one finding', () => {
  expect(codes(host({ platform: 'darwin' }))).toEqual(['platform']);
  expect(codes(host({ architecture: 'riscv64' }))).toEqual(['platform']);
  expect(codes(host({ canRead: () => false }))).toEqual(['no_btf']);
  expect(codes(host({ libbpfProblem: () => 'not found' }))).toEqual(['libbpf_missing']);
  expect(codes(host({ readLink: () => 'pid:[4026532999]' }))).toEqual(['pid_namespace']);
  expect(codes(host({ files: { '/proc/sys/kernel/kptr_restrict': '2\n' } }))).toEqual(['no_kernel_names']);
  const lockdown = (text: string): string[] => codes(host({ files: { '/sys/kernel/security/lockdown': text } }));
  expect(lockdown('none integrity [confidentiality]\n')).toEqual(['lockdown']);
  expect(lockdown('none [integrity] confidentiality\n')).toEqual([]);
});

test('a finding is one line that says what is missing, what works and what to do', () => {
  const [finding] = checkHost(host({ capabilities: '0' }));
  expect(finding && formatFinding(finding)).toBe(
    'Sampling needs root, or CAP_BPF and CAP_PERFMON (kernel.perf_event_paranoid is 2); the server, stored profiles and ' +
      'uploads work, this host is not sampled; to mend it, run as root (sudo), in a container with --privileged --pid=host.',
  );
});

test('errors of the start are explained, others are not', () => {
  expect(explainFailure(new LibbpfMissing('x'))?.code).toBe('libbpf_missing');
  expect(explainFailure(new SystemError('perf_event_open', 1))?.code).toBe('not_permitted');
  expect(explainFailure(new SystemError('perf_event_open', 22))?.code).toBe('system_error');
  expect(explainFailure(new Error('x'))).toBeUndefined();
});

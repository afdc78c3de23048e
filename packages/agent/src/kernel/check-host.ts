import { accessSync, constants, readFileSync, readlinkSync } from 'node:fs';
import { arch, platform, release } from 'node:os';

import { SystemError } from './libc.ts';
import { LibbpfMissing, loadLibbpf } from './libbpf.ts';
import { ProgramRefused } from './sampling-program.ts';
import { unlessRefused } from './unless-refused.ts';

/** Something that this host or our rights on it lack. */
export interface HostFinding {
  /** Stable. */
  readonly code:
    | 'platform'
    | 'kernel_too_old'
    | 'not_permitted'
    | 'no_ptrace'
    | 'no_file_access'
    | 'no_btf'
    | 'libbpf_missing'
    | 'lockdown'
    | 'pid_namespace'
    | 'no_kernel_names'
    | 'program_refused'
    | 'system_error';
  /** Nothing can be sampled here; everything else of Everflame works. */
  readonly blocksSampling: boolean;
  readonly missing: string;
  readonly works: string;
  readonly mend: string;
}

/** What `checkHost` looks at; a test gives another host. */
export interface HostView {
  readonly platform: string;
  readonly architecture: string;
  readonly release: string;
  /** The text of a file; undefined when it does not exist or may not be read. */
  readonly read: (path: string) => string | undefined;
  readonly canRead: (path: string) => boolean;
  readonly readLink: (path: string) => string | undefined;
  /** Why libbpf cannot be loaded; undefined when it can. */
  readonly libbpfProblem: () => string | undefined;
}

/** Bits of CapEff (include/uapi/linux/capability.h). */
const capability = {
  dacOverride: 1,
  dacReadSearch: 2,
  sysPtrace: 19,
  sysAdmin: 21,
  syslog: 34,
  perfmon: 38,
  bpf: 39,
} as const;
/** include/linux/proc_ns.h: PROC_PID_INIT_INO */
const initialPidNamespace = 'pid:[4026531836]';
/** The BPF ring buffer came with it. */
const oldestKernel = { major: 5, minor: 8 } as const;

const serverWorks = 'the server, stored profiles and uploads work, this host is not sampled';

/** What is missing on this host for sampling it, most fundamental first; empty when all is well. Changes nothing. */
export function checkHost(host: HostView = thisHost()): readonly HostFinding[] {
  return [
    checkPlatform(host),
    checkKernel(host),
    checkPermission(host),
    checkPtrace(host),
    checkFileAccess(host),
    checkLockdown(host),
    checkBtf(host),
    checkLibbpf(host),
    checkPidNamespace(host),
    checkKernelNames(host),
  ].filter((finding) => finding !== undefined);
}

/** The finding in one line. */
export function formatFinding(finding: HostFinding): string {
  return `${finding.missing}; ${finding.works}; to mend it, ${finding.mend}.`;
}

/** What an error of `startAgent` or `record` means on this host; undefined when it is not one of the host's. */
export function explainFailure(error: unknown): HostFinding | undefined {
  if (error instanceof LibbpfMissing) return libbpfFinding(error.message);
  if (error instanceof ProgramRefused) {
    return blocking('program_refused', {
      missing: `The kernel refused the sampling program: ${error.message.replaceAll(/\s*\n\s*/gu, ' | ')}`,
      mend: 'report this line with the output of uname -a',
    });
  }
  if (error instanceof SystemError) {
    const isPermission = error.code === 'EPERM' || error.code === 'EACCES';
    return blocking(isPermission ? 'not_permitted' : 'system_error', {
      missing: error.message,
      mend: isPermission
        ? 'run as root, in a container with --privileged --pid=host'
        : 'check that kernel.perf_event_max_sample_rate is not below the sampling frequency',
    });
  }
  return undefined;
}

function blocking(code: HostFinding['code'], words: { missing: string; mend: string }): HostFinding {
  return { code, blocksSampling: true, works: serverWorks, ...words };
}

function checkPlatform(host: HostView): HostFinding | undefined {
  if (host.platform === 'linux' && ['x64', 'arm64'].includes(host.architecture)) return undefined;
  return blocking('platform', {
    missing: `Sampling needs Linux on x86-64 or arm64, this is ${host.platform} on ${host.architecture}`,
    mend: 'run the agent on such a host',
  });
}

function checkKernel(host: HostView): HostFinding | undefined {
  const [major = 0, minor = 0] = host.release.split('.').map(Number);
  if (major > oldestKernel.major || (major === oldestKernel.major && minor >= oldestKernel.minor)) return undefined;
  return blocking('kernel_too_old', {
    missing: `Linux ${host.release} is older than ${oldestKernel.major}.${oldestKernel.minor} and has no BPF ring buffer`,
    mend: 'run a newer kernel',
  });
}

function effectiveCapabilities(host: HostView): bigint {
  const found = /^CapEff:\s*([0-9a-f]+)$/mu.exec(host.read('/proc/self/status') ?? '');
  return found === null ? 0n : BigInt(`0x${found[1] ?? '0'}`);
}

function has(capabilities: bigint, bit: number): boolean {
  return ((capabilities >> BigInt(bit)) & 1n) === 1n;
}

function checkPermission(host: HostView): HostFinding | undefined {
  const held = effectiveCapabilities(host);
  if (has(held, capability.sysAdmin) || (has(held, capability.bpf) && has(held, capability.perfmon))) return undefined;
  const paranoid = host.read('/proc/sys/kernel/perf_event_paranoid')?.trim() ?? 'unknown';
  return blocking('not_permitted', {
    missing: `Sampling needs root, or CAP_BPF and CAP_PERFMON (kernel.perf_event_paranoid is ${paranoid})`,
    mend: 'run as root (sudo), in a container with --privileged --pid=host',
  });
}

function checkPtrace(host: HostView): HostFinding | undefined {
  const held = effectiveCapabilities(host);
  if (has(held, capability.sysPtrace) || checkPermission(host) !== undefined) return undefined;
  return {
    code: 'no_ptrace',
    blocksSampling: false,
    missing: "Without CAP_SYS_PTRACE other users' processes cannot be looked into",
    works: 'they are sampled, but those that ran before the agent are named by their comm and lack function names',
    mend: 'add CAP_SYS_PTRACE or run as root',
  };
}

function checkFileAccess(host: HostView): HostFinding | undefined {
  const held = effectiveCapabilities(host);
  const mayRead = has(held, capability.dacReadSearch) || has(held, capability.dacOverride);
  if (mayRead || checkPermission(host) !== undefined) return undefined;
  return {
    code: 'no_file_access',
    blocksSampling: false,
    missing: 'Without CAP_DAC_READ_SEARCH files that only their owner may read cannot be read',
    works: 'such programs are sampled, but their functions have no names and their stacks may be cut',
    mend: 'add CAP_DAC_READ_SEARCH or run as root',
  };
}

function checkLockdown(host: HostView): HostFinding | undefined {
  const state = host.read('/sys/kernel/security/lockdown');
  if (state?.includes('[confidentiality]') !== true) return undefined;
  return blocking('lockdown', {
    missing: 'The kernel is locked down for confidentiality, which forbids BPF programs to read memory',
    mend: 'boot with lockdown=integrity or lockdown=none',
  });
}

function checkBtf(host: HostView): HostFinding | undefined {
  if (host.canRead('/sys/kernel/btf/vmlinux')) return undefined;
  return blocking('no_btf', {
    missing: 'The kernel has no type information (/sys/kernel/btf/vmlinux), so the BPF program cannot be fitted to it',
    mend: "run a kernel built with CONFIG_DEBUG_INFO_BTF=y, as the distributions' kernels are, and mount /sys",
  });
}

function checkLibbpf(host: HostView): HostFinding | undefined {
  const problem = host.libbpfProblem();
  return problem === undefined ? undefined : libbpfFinding(problem);
}

function libbpfFinding(problem: string): HostFinding {
  return blocking('libbpf_missing', {
    missing: `libbpf is missing (${problem})`,
    mend: 'install it: apt-get install libbpf1 (Ubuntu 22.04 and Debian 11: libbpf0)',
  });
}

function checkPidNamespace(host: HostView): HostFinding | undefined {
  const namespace = host.readLink('/proc/self/ns/pid');
  if (namespace === undefined || namespace === initialPidNamespace) return undefined;
  return blocking('pid_namespace', {
    missing: "The agent runs in a PID namespace of its own and does not know the host's processes by their PIDs",
    mend: 'run it in the PID namespace of the host (docker run --pid=host, hostPID: true)',
  });
}

/** kallsyms_show_value() in kernel/ksyms_common.c. */
function checkKernelNames(host: HostView): HostFinding | undefined {
  const restricted = Number(host.read('/proc/sys/kernel/kptr_restrict') ?? 0);
  const paranoid = Number(host.read('/proc/sys/kernel/perf_event_paranoid') ?? 2);
  const isOpen = restricted === 0 && paranoid <= 1;
  const works = 'kernel frames are shown as addresses';
  if (restricted === 2) {
    return {
      code: 'no_kernel_names',
      blocksSampling: false,
      missing: 'kernel.kptr_restrict is 2, which hides the addresses of kernel functions',
      works,
      mend: 'run sysctl kernel.kptr_restrict=1',
    };
  }
  if (isOpen || has(effectiveCapabilities(host), capability.syslog) || checkPermission(host) !== undefined) {
    return undefined;
  }
  return {
    code: 'no_kernel_names',
    blocksSampling: false,
    missing: 'Without CAP_SYSLOG the addresses of kernel functions are hidden',
    works,
    mend: 'add CAP_SYSLOG or run as root',
  };
}

function thisHost(): HostView {
  return {
    platform: platform(),
    architecture: arch(),
    release: release(),
    read: (path) => unlessRefused(() => readFileSync(path, 'latin1')),
    canRead: (path) =>
      unlessRefused(() => {
        accessSync(path, constants.R_OK);
        return true;
      }) === true,
    readLink: (path) => unlessRefused(() => readlinkSync(path)),
    libbpfProblem: () => {
      try {
        loadLibbpf();
        return undefined;
      } catch (error) {
        if (error instanceof LibbpfMissing) return error.message;
        throw error;
      }
    },
  };
}

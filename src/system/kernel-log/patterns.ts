/**
 * Lines of the kernel that are events, besides those of NVIDIA's Xids and SXids. A pattern begins at the kernel's own
 * words: a program's name or path, which some lines quote, must not make an event.
 */
import type { KernelEvent, KernelEventKind } from "../../contract/kernel-event.js";

export interface Pattern {
  readonly kind: KernelEventKind;
  readonly pattern: RegExp;
  readonly severity: KernelEvent["severity"];
  readonly action: string;
}

const DRAIN_AND_RESET =
  "drain the host and reset the GPU; errors that come back are a reason for replacement";
const LOOK_AT_CPU = "drain the host; look at its processors and memory (rasdaemon, the BMC's log)";
const LOOK_AT_SLOT = "look at the device and its slot; an uncorrected PCIe error loses data";

/** The first that matches a message counts. The sources name files of Linux 6.12 and of NVIDIA's open kernel modules. */
export const PATTERNS: readonly Pattern[] = [
  // init/main.c: the first lines of every boot.
  { kind: "boot", pattern: /^Linux version \S/, severity: "info", action: "nothing" },
  // NVIDIA: gpu/gpu.c, rmapi and nv.c.
  {
    kind: "gpu-lost",
    pattern: /^NVRM: .*\b(?:fallen off the bus|RmInitAdapter failed)/i,
    severity: "critical",
    action: "drain and reboot the host; where the GPU is lost again, have it replaced",
  },
  // drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c and amdgpu_umc.c.
  {
    kind: "amdgpu-ras",
    pattern:
      /^(?:amdgpu|\[drm\S*) .*(?:\b0*[1-9]\d* (?:new )?uncorrectable (?:hardware )?errors? detected|\bRAS controller interrupt triggered|\bRAS event of type \S+ detected|\bbad page threshold|\bRAS poison consumption|\bpoison is consumed)/i,
    severity: "critical",
    action: DRAIN_AND_RESET,
  },
  // amdgpu_device.c.
  {
    kind: "amdgpu-reset",
    pattern: /^(?:amdgpu|\[drm\S*) .*\bGPU reset(?:\(\d+\))? failed/i,
    severity: "critical",
    action: "drain and reboot the host",
  },
  {
    kind: "amdgpu-reset",
    pattern: /^(?:amdgpu|\[drm\S*) .*\bGPU reset begin/i,
    severity: "warning",
    action: "look for the job that hung the GPU; resets that come back are a reason to drain the host",
  },
  // mm/oom_kill.c; kernels before 5.0 print `Kill process`.
  {
    kind: "oom-kill",
    pattern: /^(?:Out of memory|Memory cgroup out of memory)(?: \(\w+\))?: Kill(?:ed)? process \d/,
    severity: "warning",
    action: "find what uses the memory: the kernel ended a process to get some back",
  },
  // arch/x86/kernel/cpu/mce/core.c, drivers/edac/mce_amd.c, drivers/firmware/efi/cper.c, drivers/edac/edac_mc.c.
  {
    kind: "machine-check",
    pattern:
      /^(?:mce: )?(?:\{\d+\})?\[Hardware Error\]: (?:CPU \d+: Machine Check Exception|Uncorrected|event severity: (?:fatal|recoverable))|^EDAC \S+: \d+ UE\b/,
    severity: "critical",
    action: LOOK_AT_CPU,
  },
  // Logged for corrected errors as well.
  {
    kind: "machine-check",
    pattern: /^mce: \[Hardware Error\]: Machine check events logged/,
    severity: "warning",
    action: "see rasdaemon or mcelog on the host for what it was; corrected errors that grow precede worse",
  },
  // drivers/pci/pcie/aer.c and dpc.c.
  {
    kind: "pcie-error",
    pattern:
      /^[\w-]+ [0-9a-f:.]+: (?:AER: (?:Multiple )?Uncorrect\w+ \(Non-Fatal\)|PCIe Bus Error: severity=Uncorrect\w+ \(Non-Fatal\))/i,
    severity: "warning",
    action: LOOK_AT_SLOT,
  },
  {
    kind: "pcie-error",
    pattern:
      /^[\w-]+ [0-9a-f:.]+: (?:AER: (?:Multiple )?Uncorrect|PCIe Bus Error: severity=Uncorrect|DPC: containment event)/i,
    severity: "critical",
    action: LOOK_AT_SLOT,
  },
  // Network drivers and pciehp name driver and device first; `ata1: SATA link down` is an empty port.
  {
    kind: "link-down",
    pattern: /^[\w-]+ [0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]:? .*\blink (?:is )?down\b/i,
    severity: "warning",
    action: "check the cable, the port and the switch",
  },
];

/**
 * The same as one extended regular expression for `grep` on the host, which may let a few other lines through. Without
 * characters that a shell acts on within double quotes.
 */
export const KERNEL_FILTER = [
  "Linux version ",
  "NVRM: Xid ",
  "NVRM: .*([Ff]allen off the bus|RmInitAdapter failed)",
  "SXid [(]",
  "(amdgpu|drm).*[0-9] (new )?uncorrectable (hardware )?error",
  "(amdgpu|drm).*(RAS (controller interrupt|event of type|poison)|bad page threshold|poison is consumed)",
  "(amdgpu|drm).*GPU reset([(][0-9]+[)])? ?(begin|failed)",
  "ut of memory.*: Kill",
  "Hardware Error.: (CPU [0-9]+: Machine Check Exc|Uncorrected|event severity: [fr]|Machine check events)",
  "EDAC .*[0-9] UE",
  "(AER|PCIe Bus Error): .*Uncorrect",
  "DPC: containment",
  ":[0-9a-f][0-9a-f][.][0-9a-f].* [Ll]ink (is )?[Dd]own",
].join("|");

/** Lines of the kernel log to events, and what of the log leaves the host. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import fc from "fast-check";
import { KERNEL_EVENT_KINDS, type KernelEvent } from "../../../src/contract/kernel-event.js";
import { isEvent, kernelEvents } from "../../../src/system/kernel-log/events.js";
import { KERNEL_FILTER } from "../../../src/system/kernel-log/patterns.js";
import { KNOWN_XIDS, xidOf } from "../../../src/system/kernel-log/xid.js";

const only = (line: string, bootMs: number | null = null): KernelEvent => {
  const [event, ...others] = kernelEvents([line], bootMs);
  assert.ok(event !== undefined && others.length === 0, line);
  return event;
};
/** A message as journalctl -o short-unix prints it. */
const logged = (message: string): string => `1767225600.123456 gpu-01 kernel: ${message}`;
/** The lines that `grep` on a host lets through. */
const passed = (lines: readonly string[]): readonly string[] => {
  const input = lines.map((line) => `${line}\n`).join("");
  const { stdout } = spawnSync("grep", ["-a", "-E", KERNEL_FILTER], { input, encoding: "utf8" });
  return stdout.split("\n").slice(0, -1);
};

// The texts after the number are those that drivers print, as quoted in NVIDIA's documentation and in public reports.
describe("an Xid line", () => {
  const cases: [line: string, code: number, severity: KernelEvent["severity"], action: RegExp][] = [
    [
      "13, pid=1896, name=python, Graphics SM Warp Exception on (GPC 7, TPC 1, SM 0): Out Of Range Address",
      13,
      "warning",
      /restart the application/,
    ],
    [
      "31, pid=2001, name=python, Ch 00000010, intr 00000000. MMU Fault: ENGINE GRAPHICS",
      31,
      "warning",
      /not mapped/,
    ],
    ["32, pid=77, Channel ID 00000010 intr 00040000", 32, "warning", /corrupted/],
    ["43, pid=1234, name=train, Ch 00000008", 43, "warning", /a channel was reset/],
    ["45, pid=1234, name=train, Ch 00000008", 45, "info", /look at other Xids/],
    [
      "48, pid=1234, name=train, An uncorrectable double bit error (DBE) has been detected on GPU",
      48,
      "critical",
      /double-bit/,
    ],
    ["61, pid='<unknown>', name=<unknown>, 0cec(3098) 00000000 00000000", 61, "warning", /breakpoint/],
    ["62, pid='<unknown>', name=<unknown>, 1f4b(2ac4) 00000000 00000000", 62, "critical", /microcontroller/],
    [
      "63, pid=1896, Row Remapper: New row marked for remapping, reset gpu to activate.",
      63,
      "warning",
      /remapped/,
    ],
    [
      "64, pid=1896, Dynamic Page Retirement: Fatal error, unable to retire page (0x0000000000012345)",
      64,
      "critical",
      /failed/,
    ],
    [
      "74, pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 2(0x10000, 0x0, 0x0)",
      74,
      "critical",
      /NVLink/,
    ],
    ["79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", 79, "critical", /reboot the host/],
    ["92, pid=1, High single-bit ECC error rate", 92, "warning", /single-bit/],
    ["94, pid=7194, Contained: SM (0x1). RST: No, D-RST: No", 94, "warning", /contained to one/],
    ["95, pid=7194, Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No", 95, "critical", /not contained/],
    [
      "109, pid=1, name=x, Ch 00000009, errorString CTX SWITCH TIMEOUT, Info 0x3c046",
      109,
      "critical",
      /context switch/,
    ],
    [
      "119, pid=1122, name=nvidia-smi, Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76",
      119,
      "critical",
      /did not answer/,
    ],
    ["120, pid=1, GSP task exception: Load access page fault (0xd)", 120, "critical", /GSP/],
    ["121, pid='<unknown>', name=<unknown>, C2C0 Correctable Error", 121, "warning", /chip-to-chip/],
    ["108, pid=1, name=x, NVLink remote translation error", 108, "warning", /translate/],
    ["136, pid=1, Link Training Failed", 136, "critical", /trained/],
    [
      "140, pid='<unknown>', name=<unknown>, An uncorrectable ECC error detected (possible firmware handling failure) DRAM:0",
      140,
      "critical",
      /recovered from/,
    ],
    ["143, pid=1, GPU Initialization Error", 143, "critical", /initialised/],
    ["145, pid=1, RLW_REMAP Nonfatal XC0 i0 Link 08 (0x004505c6 0x00000000)", 145, "warning", /NVLink 5/],
    [
      "149, pid='<unknown>', name=<unknown>, NETIR_LINK_EVT Fatal XC0 i0 Link 14",
      149,
      "critical",
      /NVLink 5/,
    ],
    [
      "154, pid='<unknown>', name=<unknown>, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)",
      154,
      "critical",
      /gpu_recovery_action/,
    ],
    [
      "154, pid='<unknown>', name=<unknown>, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)",
      154,
      "info",
      /nothing by itself/,
    ],
    ["999, pid=1, something new", 999, "warning", /nvidia-bug-report/],
  ];
  for (const [rest, code, severity, action] of cases) {
    test(`Xid ${code}, ${severity}`, () => {
      const line = logged(`NVRM: Xid (PCI:0000:CB:00): ${rest}`);
      const event = only(line);
      assert.deepEqual(passed([line]), [line]);
      assert.equal(event.kind, "nvidia-xid");
      assert.deepEqual([event.code, event.severity, event.pci_bus_id], [code, severity, "0000:cb:00"]);
      assert.match(event.action, action);
      assert.equal(event.pid, Number(/pid=(\d+)/.exec(rest)?.[1] ?? NaN) || null);
    });
  }
  test("of a MIG GPU, whose address has the instance beside it", () => {
    // NVIDIA A100 memory error management, "Contained error"; kernel_rc.c of the open kernel modules.
    const contained = "94, pid=7194, Contained: CE User Channel (0x9). RST: No, D-RST: No";
    for (const place of ["GPU-I:05", "GPU-I:05 GPU-CI:02"]) {
      const event = only(logged(`NVRM: Xid (PCI:0000:01:00 ${place}): ${contained}`));
      assert.deepEqual(
        [event.kind, event.code, event.pci_bus_id, event.pid],
        ["nvidia-xid", 94, "0000:01:00", 7194],
      );
    }
  });

  test("of an old driver, without PCI:", () => {
    const event = only(logged("NVRM: Xid (0000:03:00): 14, Channel 00000001"));
    assert.deepEqual([event.code, event.pci_bus_id], [14, "0000:03:00"]);
  });
  test("each number of the table has a meaning and an action of one line", () => {
    assert.ok(KNOWN_XIDS.length > 100);
    assert.equal(new Set(KNOWN_XIDS).size, KNOWN_XIDS.length);
    for (const number of KNOWN_XIDS) {
      const { meaning, action } = xidOf(number, "");
      assert.match(`${meaning}: ${action}`, /^\S.{8,160}$/, String(number));
      assert.notEqual(meaning, xidOf(0, "").meaning);
    }
  });
});

describe("other lines", () => {
  const cases: [line: string, kind: string, severity: string, pci: string | null, pid: number | null][] = [
    [
      "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 12 LTSSM Fault Up",
      "nvidia-sxid",
      "critical",
      "0000:c1:00.0",
      null,
    ],
    [
      "nvidia-nvswitch0: SXid (PCI:0000:84:00.0): 12028, Non-fatal, Link 44 egress non-posted PRIV error",
      "nvidia-sxid",
      "warning",
      "0000:84:00.0",
      null,
    ],
    ["NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.", "gpu-lost", "critical", "0000:3b:00.0", null],
    [
      "NVRM: GPU 0000:3b:00.0: RmInitAdapter failed! (0x22:0x38:762)",
      "gpu-lost",
      "critical",
      "0000:3b:00.0",
      null,
    ],
    [
      "amdgpu 0000:83:00.0: amdgpu: 2 uncorrectable hardware errors detected in umc block",
      "amdgpu-ras",
      "critical",
      "0000:83:00.0",
      null,
    ],
    ["amdgpu 0000:83:00.0: amdgpu: GPU reset begin!", "amdgpu-reset", "warning", "0000:83:00.0", null],
    [
      "Out of memory: Killed process 4242 (python3) total-vm:99kB, anon-rss:1kB",
      "oom-kill",
      "warning",
      null,
      4242,
    ],
    ["Memory cgroup out of memory: Killed process 77 (train) total-vm:99kB", "oom-kill", "warning", null, 77],
    ["mce: [Hardware Error]: Machine check events logged", "machine-check", "warning", null, null],
    [
      "pcieport 0000:00:01.0: AER: Uncorrectable (Fatal) error message received from 0000:01:00.0",
      "pcie-error",
      "critical",
      "0000:00:01.0",
      null,
    ],
    ["mlx5_core 0000:9a:00.0 ens1np0: Link down", "link-down", "warning", "0000:9a:00.0", null],
    ["bnxt_en 0000:31:00.0 ens3: NIC Link is Down", "link-down", "warning", "0000:31:00.0", null],
    ["pcieport 0000:00:1c.0: pciehp: Slot(3): Link Down", "link-down", "warning", "0000:00:1c.0", null],
    [
      "pcieport 0000:00:01.0: DPC: containment event, status:0x1f01 source:0x0000",
      "pcie-error",
      "critical",
      "0000:00:01.0",
      null,
    ],
    [
      "pcieport 0000:00:01.0: AER: Uncorrected (Non-Fatal) error received: 0000:01:00.0",
      "pcie-error",
      "warning",
      "0000:00:01.0",
      null,
    ],
    [
      "amdgpu 0000:83:00.0: amdgpu: socket: 0, die: 0 1 new uncorrectable hardware errors detected in total in umc block",
      "amdgpu-ras",
      "critical",
      "0000:83:00.0",
      null,
    ],
    [
      "amdgpu 0000:83:00.0: amdgpu: RAS event of type ERREVENT_ATHUB_INTERRUPT detected!",
      "amdgpu-ras",
      "critical",
      "0000:83:00.0",
      null,
    ],
    ["amdgpu 0000:83:00.0: amdgpu: GPU reset(2) failed", "amdgpu-reset", "critical", "0000:83:00.0", null],
    [
      "mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 7: be00000000010092",
      "machine-check",
      "critical",
      null,
      null,
    ],
    ["{1}[Hardware Error]: event severity: fatal", "machine-check", "critical", null, null],
    [
      "EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
      "machine-check",
      "critical",
      null,
      null,
    ],
    ["Out of memory: Kill process 911 (old) score 900 or sacrifice child", "oom-kill", "warning", null, 911],
    ["Linux version 6.8.0-60-generic (buildd@lcy02) (x86_64-linux-gnu-gcc-13)", "boot", "info", null, null],
  ];
  for (const [line, kind, severity, pci, pid] of cases) {
    test(`${kind}: ${line.slice(0, 50)}`, () => {
      const event = only(logged(line));
      assert.deepEqual(passed([logged(line)]), [logged(line)]);
      assert.deepEqual([event.kind, event.severity, event.pci_bus_id, event.pid], [kind, severity, pci, pid]);
      assert.equal(event.message, line);
    });
  }
  const nothing = [
    "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  580.95.05",
    "amdgpu 0000:83:00.0: amdgpu: GPU reset(1) succeeded!",
    "amdgpu 0000:83:00.0: amdgpu: RAS: optional ras ta ucode is not available",
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0",
    "EDAC MC0: 1 CE memory read error on CPU_SrcID#0",
    "mlx5_core 0000:9a:00.0 ens1np0: Link up",
    "python[77]: NVRM Xid is what this program is about",
    "ata1: SATA link down (SStatus 0 SControl 300)",
    "amdgpu 0000:83:00.0: amdgpu: 0 uncorrectable hardware errors detected in umc block",
    "{1}[Hardware Error]: event severity: corrected",
    // Names that a user chooses must not make an event.
    'audit: type=1400 audit(1.2:3): apparmor="DENIED" name="/tmp/NVRM: Xid (PCI:0000:18:00): 79, pid=1"',
    "x[1]: segfault at 0 ip 0 sp 0 error 4 in Out of memory: Killed process 1[0+1]",
  ];
  for (const line of nothing)
    test(`nothing: ${line.slice(0, 50)}`, () => assert.deepEqual(kernelEvents([logged(line)], null), []));
  test("a line without the log's own prefix is none", () => {
    const message = "NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.";
    const lines = [
      message,
      `1767225600.123456 gpu-01 sshd[12]: ${message}`,
      `Jan 01 00:00:00 h kernel: ${message}`,
    ];
    assert.deepEqual(kernelEvents(lines, null), []);
    assert.deepEqual(lines.map(isEvent), [false, false, false]);
  });
});

describe("the time of a line", () => {
  const XID = "NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.";
  const BOOT = Date.UTC(2026, 0, 1);
  const cases: [line: string, bootMs: number | null, time: string | null][] = [
    [`1767225600.123456 gpu-01 kernel: ${XID}`, null, "2026-01-01T00:00:00.123Z"],
    [`[   60.500000] ${XID}`, BOOT, "2026-01-01T00:01:00.500Z"],
    [`<3>[   60.500000] ${XID}`, BOOT, "2026-01-01T00:01:00.500Z"],
    [`[   60.500000] ${XID}`, null, null],
    [`[   60.500000][ T1234] ${XID}`, BOOT, "2026-01-01T00:01:00.500Z"],
    [`99999999999.123456 gpu-01 kernel: ${XID}`, null, "5138-11-16T09:46:39.123Z"],
    [`[9999999999.500000] ${XID}`, Number.MAX_SAFE_INTEGER, null],
  ];
  for (const [line, bootMs, time] of cases) {
    test(line.slice(0, 40), () => {
      const event = only(line, bootMs);
      assert.deepEqual([event.logged_at, event.message], [time, XID]);
    });
  }
});

test("whatever a host's log holds, events are of its lines, in their order, with known kinds and one-line texts", () => {
  const piece = fc.constantFrom(
    "NVRM: Xid (PCI:0000:18:00): 79, x\n",
    "[99999999.123] ",
    "9999999999.123 h kernel: ",
    logged("NVRM: Xid (PCI:0000:18:00): 79, x\n"),
    "amdgpu",
    "SXid (",
    "\n",
    "9999-99-99T99:99:99,123Z ",
    "mce: [Hardware Error]",
    "pid=99999999999",
  );
  const log = fc
    .array(fc.oneof(piece, fc.string({ unit: "binary" })), { maxLength: 30 })
    .map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(log, fc.option(fc.double(), { nil: null }), (text, bootMs) => {
      const lines = text.split("\n");
      const events = kernelEvents(lines, bootMs);
      assert.equal(events.length, lines.filter(isEvent).length);
      for (const event of events) {
        assert.ok(KERNEL_EVENT_KINDS.includes(event.kind));
        assert.match(event.message, /^[^\n\r]*$/);
        if (event.logged_at !== null) assert.equal(new Date(event.logged_at).toISOString(), event.logged_at);
      }
    }),
  );
});

/**
 * NVIDIA's Xid numbers: what each means, how bad it is, what to do next. Facts from "Analyzing Xid Errors with the Xid
 * Catalog" (docs.nvidia.com/deploy/xid-errors, 2025-10), immediate actions for Ampere and newer, in our own text. The
 * catalog has no severities: here an Xid is critical where the GPU or the host has to leave service, a warning where an
 * application or a person has to act, and info else.
 */
import type { KernelEvent } from "../../contract/kernel-event.js";

type Severity = KernelEvent["severity"];

export interface Xid {
  readonly meaning: string;
  readonly severity: Severity;
  readonly action: string;
}

const ACTIONS = {
  ignore: "nothing by itself; look at other Xids of the same time",
  app: "restart the application; where it comes back with known good code, look at the GPU",
  reset: "drain the host and reset the GPU (nvidia-smi --gpu-reset -i INDEX)",
  reboot: "drain and reboot the host; where the GPU is lost again, have it replaced",
  power: "check that the GPU's power cable is attached",
  update: "update driver and firmware",
  link: "check the NVLink connection and the peer GPU or switch; reset the GPU",
  follow: "do what nvidia-smi's gpu_recovery_action names",
  vm: "restart the virtual machine",
  support: "report it to NVIDIA with nvidia-bug-report.sh",
} as const;
type Action = keyof typeof ACTIONS;

// prettier-ignore
const XIDS: readonly (readonly [numbers: readonly number[], meaning: string, severity: Severity, action: Action])[] = [
  [[8], "the GPU stopped processing", "warning", "app"],
  [[11, 25, 32, 80], "a command stream was invalid or corrupted", "warning", "app"],
  [[13], "graphics engine exception, most often of the application", "warning", "app"],
  [[31], "the application used an address that is not mapped", "warning", "app"],
  [[37, 38], "driver firmware error", "warning", "ignore"],
  [[39, 40, 41, 70, 71, 72, 75, 76, 77, 85], "copy engine exception", "warning", "app"],
  [[43], "a channel was reset: the application failed, the GPU works on", "warning", "ignore"],
  [[44], "graphics engine fault during a context switch", "warning", "ignore"],
  [[45], "a channel was removed after an earlier error", "info", "ignore"],
  [[46], "the GPU stopped processing", "critical", "reset"],
  [[48], "double-bit ECC error", "critical", "reset"],
  [[54], "the GPU's auxiliary power is not connected", "critical", "power"],
  [[60], "security engine error (on older GPUs: video processor)", "warning", "app"],
  [[61], "a breakpoint or warning of an internal microcontroller", "warning", "support"],
  [[62], "an internal microcontroller halted", "critical", "reset"],
  [[63], "a row or page of memory was remapped or retired", "warning", "ignore"],
  [[64], "remapping a row or retiring a page of memory failed", "critical", "reset"],
  [[66, 67], "the driver made an illegal access", "warning", "ignore"],
  [[68, 83, 84, 88, 89, 96, 97, 98], "video decoder exception", "warning", "app"],
  [[69], "graphics engine class error", "warning", "app"],
  [[74], "NVLink error", "critical", "link"],
  [[78], "a vGPU could not be started", "warning", "update"],
  [[79], "the GPU has fallen off the bus", "critical", "reboot"],
  [[82, 99, 100, 101, 102, 103, 104, 105], "JPEG engine error", "warning", "app"],
  [[86, 139], "optical flow engine exception", "warning", "app"],
  [[92], "a high rate of single-bit ECC errors", "warning", "support"],
  [[93], "the InfoROM was written more often than it should be", "info", "ignore"],
  [[94], "a memory error that was contained to one application", "warning", "app"],
  [[95], "a memory error that was not contained: all applications on the GPU are affected", "critical", "reset"],
  [[106, 107], "a test message of the management interface", "info", "ignore"],
  [[108], "an NVLink peer could not translate an address", "warning", "ignore"],
  [[109], "a context switch timed out", "critical", "reset"],
  [[110], "security fault", "critical", "reset"],
  [[119], "the GPU's system processor (GSP) did not answer in time", "critical", "reset"],
  [[120], "the GPU's system processor (GSP) failed", "critical", "reset"],
  [[121], "an error of the chip-to-chip link was corrected", "warning", "ignore"],
  [[126, 127, 128, 129, 130, 131, 132, 133, 134, 135], "copy engine exception", "warning", "app"],
  [[136], "an NVLink could not be trained", "critical", "reset"],
  [[137], "NVLink privilege error: an access of a peer was refused", "warning", "ignore"],
  [[140], "an ECC error could not be recovered from", "critical", "reset"],
  [[141], "error in CUDA's fast path", "warning", "ignore"],
  [[142], "video encoder exception", "warning", "support"],
  [[143], "the GPU could not be initialised", "critical", "reset"],
  [[144, 145, 146, 147, 148, 149, 150], "NVLink 5 error", "critical", "link"],
  [[151], "key rotation error (confidential computing)", "critical", "vm"],
  [[152, 153], "deep learning accelerator error", "warning", "ignore"],
  [[154], "the GPU's recovery action changed", "critical", "follow"],
  [[155], "NVLink error that software defines", "critical", "reset"],
  [[156], "a resource was retired", "warning", "reset"],
  [[157], "a resource could not be retired", "critical", "support"],
  [[158], "the GPU timed out fatally", "critical", "reset"],
  [[159], "an error of the chip-to-chip interface", "warning", "support"],
  [[160], "a memory channel was retired", "warning", "ignore"],
  [[161], "a memory channel could not be retired", "critical", "support"],
  [[162, 163], "the power smoothing hardware was switched on or off", "info", "ignore"],
  [[164, 165], "the power smoothing hardware wears out", "warning", "support"],
  [[166, 170], "error of NVLink's encryption", "critical", "reset"],
  [[167], "PCIe timed out fatally", "critical", "reboot"],
  [[168], "the GPU has less memory than it should", "warning", "support"],
  [[169], "the GPU's security processor halted", "critical", "reset"],
  [[171, 172], "details of an uncorrectable memory error (see Xid 48)", "critical", "reset"],
];

const BY_NUMBER: ReadonlyMap<number, Xid> = new Map(
  XIDS.flatMap(([numbers, meaning, severity, action]) =>
    numbers.map((number): [number, Xid] => [number, { meaning, severity, action: ACTIONS[action] }]),
  ),
);

/** The numbers that the table has. */
export const KNOWN_XIDS: readonly number[] = [...BY_NUMBER.keys()];

/** What driver 580 prints with these numbers: whether it is over, and whether it was fatal. */
const RECOVERY = 154;
const NO_RECOVERY = / to 0x0+ \(None\)/i;
const NVLINK5: readonly number[] = [144, 145, 146, 147, 148, 149, 150];
const NONFATAL = /\bNon-?fatal\b/i;

/** `message`: the kernel's line. A number that is not in the catalog, or is unused there, is a warning for support. */
export function xidOf(number: number, message: string): Xid {
  const known = BY_NUMBER.get(number) ?? {
    meaning: "not in the catalog of this version",
    severity: "warning",
    action: ACTIONS.support,
  };
  if (number === RECOVERY && NO_RECOVERY.test(message))
    return { ...known, severity: "info", action: ACTIONS.ignore };
  if (NVLINK5.includes(number) && NONFATAL.test(message))
    return { ...known, severity: "warning", action: ACTIONS.follow };
  return known;
}

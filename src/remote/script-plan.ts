/** What the remote script is made from: which tools to look for, and which parts to ask in a tick. */
import type { Part } from "../shims/kit/shim.js";

/** How a host bounds a program: GNU-style `timeout -k`, old busybox `timeout -t`, or a watchdog in shell. */
export const LIMITERS = ["gnu", "busybox", "watchdog"] as const;
export type TimeoutCommand = (typeof LIMITERS)[number];

/** A tool that may be on the host, in the order in which it is tried. */
export interface ToolCandidate {
  readonly shim: string;
  /** Once one tool of a group works, the others of it are not asked; null: one that works is enough for all. */
  readonly group: string | null;
  readonly executables: readonly string[];
  readonly probe: readonly Part[];
  /** Groups of drivers; where all GPUs of one sleep, the tool is not run (asleep.ts). */
  readonly wakes: readonly (readonly string[])[];
  /** The operator's path in place of a search; null: search for the executables. */
  readonly path: string | null;
  /** As in Shim: it is tried only where no tool worked before it. */
  readonly lastResort?: { readonly isHere: string };
}

/** What an operating system is asked for besides the vendor tool. */
export interface SystemParts {
  /** What `uname -s` prints there. */
  readonly uname: string;
  readonly probe: readonly Part[];
}

export interface BootstrapPlan {
  readonly nonce: string;
  readonly toolTimeoutSecs: number;
  readonly systems: readonly SystemParts[];
  readonly candidates: readonly ToolCandidate[];
  /** An earlier round of the probe has found a tool that works. */
  readonly foundBefore: boolean;
  /** True: the channel stays open as a bare shell that takes ticks on its standard input. */
  readonly stay: boolean;
  /** Absent: nothing is known of the host. */
  readonly kept?: KeptInScript;
}

/** What an earlier run has kept of the host (kept-facts.ts), as text of the script that was checked. */
export interface KeptInScript {
  /** Boot id and name of the host: where the host has others, nothing of it is used. */
  readonly state: string;
  /** Assignments of the shell. */
  readonly assignments: string;
}

/** What each tick asks of one host, once its tool is known. */
export interface TickPlan {
  readonly nonce: string;
  readonly toolTimeoutSecs: number;
  readonly limiter: TimeoutCommand;
  /** A shell that stays bounds its programs by a guard, where it can. */
  readonly isGuarded: boolean;
  readonly system: readonly Part[];
  readonly tools: readonly ToolParts[];
}

/** What one vendor tool is asked, by the executable that was found. */
export interface ToolParts {
  readonly parts: readonly Part[];
  /** As a word of the shell. */
  readonly executable: string;
  /** Absent: it is run whatever sleeps. */
  readonly unlessAsleep?: { readonly shim: string; readonly wakes: readonly (readonly string[])[] };
}

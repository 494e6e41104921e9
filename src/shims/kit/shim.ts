/**
 * What a vendor tool is to the pipeline: the commands it is asked with and a pure parser of what it answers.
 * A new tool is one file in shims/, one line in registry.ts and one folder in golden/.
 */
import type { Section, SectionError, Sections } from "../../contract/record.js";

/** One question of a tick. */
export type Part = ProgramPart | ShellPart;

interface Question {
  /** Unique in a tick, as `nvidia-smi.query`. */
  readonly id: string;
  /**
   * Constant POSIX sh on one line, free of single quotes, `!`, doubled backslashes and newlines, so that sh, csh and fish
   * login shells all hand it on unharmed inside '...'. `{tool}` in it stands for the shim's executable that was found.
   */
  readonly command: string;
}

/** One program with its arguments and no shell syntax; it is run under the remote deadline. */
export interface ProgramPart extends Question {
  readonly kind: "program";
  /**
   * It prints some KiB at most: the shell holds that until it has ended, and says it with all else in one write, which
   * both sides pay less for. Of one that is ended, whether its last line had its end is not known; of one that nothing
   * can end, nothing is heard.
   */
  readonly isBuffered?: true;
}

export interface ShellPart extends Question {
  /**
   * `shell`: shell text; it calls every program that could hang as `b program args...`, where `b` is the script's
   * function that bounds it, or, as the last act of a subshell, as `x program args...`, which costs a process less.
   * `said`: shell text too, which prints by the script's functions alone: `w TEXT` says something (`$n` is a newline),
   * `l COUNT FILE LAST` a file's lines (see script.ts), `f` prints what was said and stands before every program that
   * prints.
   */
  readonly kind: "shell" | "buffered-shell";
}

/** What a part answered. */
export interface PartOutput {
  readonly stdout: string;
  /** At most some KiB; the rest was cut. */
  readonly stderr: string;
  readonly end: PartEnd;
}
export type PartEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  /** Its remote deadline passed and it was ended. `earlier`: in an earlier tick; it was not asked in this one. */
  | { readonly kind: "timeout"; readonly afterSecs: number; readonly earlier?: true }
  /** It printed without end, or more than is read: nothing of it is. `what`: as `more than 8 MiB`. */
  | { readonly kind: "flooded"; readonly what: string }
  /** The frame ended without it: the connection was cut or an earlier part hung. */
  | { readonly kind: "missing" };

export type PartOutputs = ReadonlyMap<string, PartOutput>;

/**
 * What one tick's outputs told. Every value is a finite number, a text or null; nothing is invented. Its devices are the
 * caller's, who may add to them: a sampler keeps none of them for another reading.
 */
export interface Reading {
  readonly sections: Sections;
  readonly errors: readonly SectionError[];
  /** The tool found its processes in this host's own /proc: their pids are those that `ps` prints. */
  readonly areOurPids?: true;
  /** What the probe learned no longer holds (a new driver, another mode): the host is to be probed again. */
  readonly outdated?: true;
}

/** A tool that is known to work on one host: what to run each tick, and how to read it. May keep state between ticks. */
export interface Sampler {
  /** The same list as long as nothing changes in it. */
  readonly parts: readonly Part[];
  /** Throws ParseError only. */
  parse(outputs: PartOutputs): Reading;
  /** Where the tool has to start its driver for each question unless some program uses it. */
  readonly holder?: Holder;
}

/** A program that uses the driver and does nothing else, so that the driver stays started. No reading comes from it. */
export interface Holder {
  /** As a program part's. Runs until it is ended, and prints now and then: to a channel that has gone, that ends it. */
  readonly command: string;
  /** Whether the driver may be without any user between ticks, by what was read. */
  isWanted(reading: Reading): boolean;
}

export type ToolVerdict =
  | { readonly kind: "usable"; readonly sampler: Sampler }
  /** The tool is there and does not work: what it said, for the record. */
  | { readonly kind: "broken"; readonly message: string }
  /** It works, but another tool tells more (nvidia-smi on a Jetson): taken when nothing else is usable. */
  | { readonly kind: "poor"; readonly message: string; readonly sampler: Sampler }
  | { readonly kind: "too-old"; readonly message: string };

/** Whose devices a tool reports: two tools of one vendor report the same ones, tools of two vendors never do. */
export interface Maker {
  readonly vendor: string;
  /** PCI vendor ids of the devices, as /sys/bus/pci/devices has them. */
  readonly pci: readonly string[];
  /** The tool is asked beside the vendor's other tools, not only where they fail: it is cheap, or nothing else reports all. */
  readonly isAlways?: true;
}

/** The maker of a tool's devices; a tool without one is a vendor of its own. */
export function makerOf(shim: Shim): Maker {
  return shim.maker ?? { vendor: shim.id, pci: [] };
}

export interface Shim {
  /** The record's `transport`, the `--ssh-fallback` value and the golden folder's name. */
  readonly id: string;
  /** Left out by all-smi, which reports every vendor's devices. */
  readonly maker?: Maker;
  /** Programs that are this tool, the first found wins; the shell looks them up on the extended PATH. */
  readonly executables: readonly string[];
  /**
   * What is asked once a session, in order. The tool counts as working for the shell when the first part exits 0;
   * else the shell goes on to the next tool in the same round trip. It holds the parts of a first sample (same ids as
   * the sampler's), so that the probe's answer is the first reading. Its shell parts run in one shell: what the first
   * leaves in a variable, the next may look at, and does without where it is not there.
   */
  probe(context: ProbeContext): readonly Part[];
  /** Decides by the probe's outputs, which hold at least the first part's. Throws ParseError only. */
  judge(outputs: PartOutputs, context: ProbeContext): ToolVerdict;
}

export interface ProbeContext {
  readonly include: ReadonlySet<Section>;
  /** `plain`: the host runs no script of ours (forced command, Windows): parts must all be of kind `program`. */
  readonly mode: "shell" | "plain";
}

/**
 * A vendor tool for the pipeline: the commands that are run, and a pure parser of their output. A new tool is one file in
 * shims/, one line in registry.ts and one folder in golden/.
 */
import type { Section, SectionError, Sections } from "../../contract/record.js";

/** One command of a tick. */
export type Part = ProgramPart | ShellPart;

interface Command {
  /** Unique in a tick, as `nvidia-smi.query`. */
  readonly id: string;
  /**
   * Constant POSIX sh on one line, without single quotes, `!`, double backslashes and newlines, so that sh, csh and fish
   * login shells all pass it on unchanged inside '...'. `{tool}` stands for the shim's executable that was found.
   */
  readonly command: string;
}

/** One program with its arguments and no shell syntax. It runs under the remote timeout. */
export interface ProgramPart extends Command {
  readonly kind: "program";
  /**
   * It prints a few KiB at most. The shell keeps its output in memory until it ends and prints it with everything else in
   * one write, which costs both sides less. When it is killed, it is not known whether its last line was complete. When
   * nothing can kill it, none of its output arrives.
   */
  readonly isBuffered?: true;
}

export interface ShellPart extends Command {
  /**
   * `shell`: shell text. It calls every program that could hang as `b program args...`, where `b` is the script's
   * function with a timeout, or, as the last command of a subshell, as `x program args...`, which saves a process.
   * `buffered-shell`: shell text too, which prints only with the script's functions: `w TEXT` adds a text to the buffer
   * (`$n` is a newline), `l COUNT FILE LAST` adds a file's lines (see script.ts), `f` prints the buffer and must come
   * before every program that prints.
   */
  readonly kind: "shell" | "buffered-shell";
}

/** The output of a part. */
export interface PartOutput {
  readonly stdout: string;
  /** At most a few KiB; the rest was cut. */
  readonly stderr: string;
  readonly end: PartEnd;
}
export type PartEnd =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  /** It was killed after its remote timeout. `earlier`: in an earlier tick; it was not run in this one. */
  | { readonly kind: "timeout"; readonly afterSecs: number; readonly earlier?: true }
  /** It printed more than the limit, so none of its output is read. `what`: as `more than 8 MiB`. */
  | { readonly kind: "flooded"; readonly what: string }
  /** The frame ended without it: the connection was lost or an earlier part hung; or `why`. */
  | { readonly kind: "missing"; readonly why?: string };

export type PartOutputs = ReadonlyMap<string, PartOutput>;

/**
 * The sections of one tick. Every value is a finite number, a text or null; nothing is made up. The caller owns the
 * devices and may change them: a sampler does not use them for another reading.
 */
export interface Reading {
  readonly sections: Sections;
  readonly errors: readonly SectionError[];
  /** The tool's pids are those of this host's own /proc, which `ps` prints. */
  readonly areOurPids?: true;
  /** The probe's result is outdated (a new driver, another mode): the host must be probed again. */
  readonly outdated?: true;
}

/** A tool that works on one host: what to run each tick and how to read it. It may keep state between ticks. */
export interface Sampler {
  /** The same array as long as nothing changes in it. */
  readonly parts: readonly Part[];
  /** Throws ParseError only. */
  parse(outputs: PartOutputs): Reading;
  /** Present where the tool must initialise its driver for each command unless another program uses it. */
  readonly holder?: Holder;
}

/** A program that only uses the driver, so that the driver stays initialised. No reading comes from it. */
export interface Holder {
  /** As in a program part. It runs until it is killed. It prints now and then, so a closed channel ends it. */
  readonly command: string;
  /** Whether, by this reading, the driver may have no user between ticks. */
  isWanted(reading: Reading): boolean;
}

/**
 * What a shim found out of its tool, for a later run. `state`: what the script compares on the host; as long as it is the
 * same, the values hold.
 */
export interface ToolFacts {
  readonly state: string;
  readonly values: Readonly<Record<string, string>>;
}

export type ToolVerdict =
  /** `facts`: to keep for a later run; absent where there are none, or where they were kept before. */
  | { readonly kind: "usable"; readonly sampler: Sampler; readonly facts?: ToolFacts }
  /** The tool is installed and does not work. `message`: its own message, for the record. */
  | { readonly kind: "broken"; readonly message: string }
  /** It works, but another tool reports more (nvidia-smi on a Jetson). It is used when nothing else is usable. */
  | {
      readonly kind: "poor";
      readonly message: string;
      readonly sampler: Sampler;
      readonly facts?: ToolFacts;
    }
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
  /** Names of the program; the first that the shell finds on the extended PATH is used. */
  readonly executables: readonly string[];
  /**
   * Present where it is no program and reads what the kernel reports: it is tried only where no tool works. `isHere`: a
   * condition of POSIX sh in place of the search for executables, under the rules of a command.
   */
  readonly lastResort?: { readonly isHere: string };
  /**
   * The commands that are run once a session, in order. The shell takes the tool as working when the first part exits
   * with 0; otherwise it tries the next tool in the same round trip. The parts of a first sample are among them (with the
   * sampler's ids), so that the probe's answer is the first reading. Shell parts run in one shell: a part may use a
   * variable that an earlier one set, and must work without it.
   */
  probe(context: ProbeContext): readonly Part[];
  /** Judges the tool by the probe's outputs, which hold at least the first part's. Throws ParseError only. */
  judge(outputs: PartOutputs, context: ProbeContext): ToolVerdict;
  /**
   * Kept facts as assignments of the shell for the probe; null for facts that this shim would not have found itself. Only
   * constants of ours and checked characters may be in it.
   */
  assignmentsOf?(facts: ToolFacts): string | null;
}

export interface ProbeContext {
  readonly include: ReadonlySet<Section>;
  /** `plain`: the host cannot run our script (forced command, Windows), so all parts must be of kind `program`. */
  readonly mode: "shell" | "plain";
  /** Whether a GPU that sleeps may be woken for its readings (`--wake-gpus`). */
  readonly isWaking?: boolean;
  /** What an earlier run found out of tools, by shim id; each was accepted by its shim. */
  readonly kept?: ReadonlyMap<string, ToolFacts>;
}

/** Exceptions of ours that concern one host: prints each stack once, and keeps whether there were any. */
import { stackOf, type ReportFault } from "../contract/errors.js";
import { cleanText } from "../lib/text.js";

/** At most this many different stacks are printed: a fault with a new stack each time must not fill a log. */
const MAX_STACKS = 50;
const MAX_PRINTED_FRAMES = 25;
/** Two stacks with the same innermost frames are one fault. */
const COMPARED_FRAMES = 3;

export class Faults {
  readonly #print: (text: string) => void;
  readonly #printed = new Set<string>();
  #isAny = false;

  /** `print` takes a text of several lines: the message and the stack below it. */
  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Whether a fault of ours has cost a record of a host: the run then ends with exit code 1. */
  get isAny(): boolean {
    return this.#isAny;
  }

  readonly report: ReportFault = (host, error) => this.reportStack(host, stackOf(error));

  /** `stack` as `stackOf` makes it; errors of other threads come as text. */
  reportStack(host: string, stack: string): void {
    this.#isAny = true;
    const [head = "", ...frames] = stack.split("\n");
    // The place where it was thrown: the message may name the host, and the outer frames depend on the caller.
    const own = frames.filter((frame) => !frame.includes("node:")).slice(0, COMPARED_FRAMES);
    const [kind = ""] = head.split(":", 1);
    const key = own.length > 0 ? [kind, ...own.map(functionOf)].join("\n") : head;
    if (this.#printed.has(key) || this.#printed.size >= MAX_STACKS) return;
    this.#printed.add(key);
    const lines = [
      `${host}: internal error, please report it: ${head}`,
      ...frames.slice(0, MAX_PRINTED_FRAMES),
    ];
    this.#print(lines.map(cleanText).join("\n"));
  }
}

/** `at name` of a stack's frame: threads run another file, with the same function elsewhere. A nameless one stays whole. */
function functionOf(frame: string): string {
  return /^\s*at (?:async )?[^\s(]+ (?=\()/.exec(frame)?.[0] ?? frame;
}

/** Faults of ours that concern one host: each stack once to the operator, and whether there were any. */
import { stackOf, type ReportFault } from "../contract/errors.js";
import { cleanText } from "../lib/text.js";

/** Of different stacks, so many are printed: a fault that is never the same twice must not fill a log. */
const MAX_STACKS = 50;
const MAX_FRAMES = 25;
/** Two stacks whose innermost frames are the same are one fault. */
const SAME_FRAMES = 3;

export class Faults {
  readonly #print: (text: string) => void;
  readonly #printed = new Set<string>();
  #isAny = false;

  /** `print` takes a line and the stack's lines below it. */
  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  /** Whether the run has lost a host's record to a fault of ours: it ends with exit code 1 then. */
  get isAny(): boolean {
    return this.#isAny;
  }

  readonly report: ReportFault = (host, error) => this.reportStack(host, stackOf(error));

  /** As `stackOf` gives it; another thread's errors come as text. */
  reportStack(host: string, stack: string): void {
    this.#isAny = true;
    const [head = "", ...frames] = stack.split("\n");
    // Where it was thrown: the message may name the host, and the way there may begin at any of its callers.
    const own = frames.filter((frame) => !frame.includes("node:")).slice(0, SAME_FRAMES);
    const key = own.length > 0 ? own.join("\n") : head;
    if (this.#printed.has(key) || this.#printed.size >= MAX_STACKS) return;
    this.#printed.add(key);
    const lines = [`${host}: internal error, please report it: ${head}`, ...frames.slice(0, MAX_FRAMES)];
    this.#print(lines.map(cleanText).join("\n"));
  }
}

/** Which blocks of our own code an input reaches, by V8's precise coverage (Profiler of node:inspector). */
import { Session, type Profiler } from "node:inspector";

/** Only these are counted: what parses texts of hosts. */
const COUNTED = /\/src\/(?:shims|remote|system|lib|contract)\//;

/** One a process, made before the code is first run: V8 counts blocks of what it compiles from then on. */
export class Coverage {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Blocks that have run since the last call, each as a name that stays the same. */
  take(): readonly string[] {
    let taken: readonly Profiler.ScriptCoverage[] = [];
    // In the same process the answer comes before `post` returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      taken = result;
    });
    return taken.flatMap(({ url, functions }) =>
      COUNTED.test(url)
        ? functions.flatMap(({ ranges }) =>
            ranges
              .filter(({ count }) => count > 0)
              .map(({ startOffset, endOffset }) => `${url}:${startOffset}-${endOffset}`),
          )
        : [],
    );
  }

  stop(): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }
}

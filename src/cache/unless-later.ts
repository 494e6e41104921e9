/** A wait that ends in any case. */
import type { Clock } from "../lib/clock.js";

/** What the promise resolves to, or `otherwise` where it takes longer. The promise must not reject. */
export function unlessLater<Value>(
  promise: Promise<Value>,
  otherwise: Value,
  ms: number,
  clock: Clock,
): Promise<Value> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(otherwise));
    void promise.then((value) => {
      timer.cancel();
      resolve(value);
    });
  });
}

/** Waiting that an AbortSignal may end. Every listener is removed as soon as it is not needed: signals live for days. */
import type { Clock } from "./clock.js";

/**
 * Calls `act` once with the signal's reason when the signal aborts; at once where it has aborted already. Returns a
 * function that removes the listener; it is idempotent.
 */
export function onAbort(signal: AbortSignal, act: (reason: Error) => void): () => void {
  const listener = (): void => act(signal.reason as Error);
  if (signal.aborted) {
    listener();
    return () => undefined;
  }
  signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}

/** Settles a promise; only the first call of either function counts. */
interface Settle<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A promise for work that runs by callbacks. `start` begins the work and returns its cleanup, which is called exactly
 * once, when the promise settles by `resolve`, `reject` or the abort. Rejects with the signal's reason; nothing is
 * started where the signal has aborted already. What `start` throws rejects the promise.
 */
export function abortable<Value>(
  signal: AbortSignal,
  start: (settle: Settle<Value>) => () => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const state: { isSettled: boolean; cleanUp: () => void } = {
      isSettled: false,
      cleanUp: () => undefined,
    };
    const settle = (act: () => void): void => {
      if (state.isSettled) return;
      state.isSettled = true;
      stopListening();
      state.cleanUp();
      act();
    };
    const stopListening = onAbort(signal, (reason) => settle(() => reject(reason)));
    try {
      state.cleanUp = start({
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      });
      // Settled within `start`, when there was no cleanup to call yet.
      if (state.isSettled) state.cleanUp();
    } catch (error) {
      const thrown = error as Error;
      settle(() => reject(thrown));
    }
  });
}

/**
 * Settles as the promise does, or rejects with the signal's reason. A value that comes after the abort is passed to
 * `discard`; an error that comes after it is dropped.
 */
export async function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
  discard: (late: Value) => void = () => undefined,
): Promise<Value> {
  promise.then(
    (value) => {
      if (signal.aborted) discard(value);
    },
    () => undefined,
  );
  return await abortable(signal, ({ resolve, reject }) => {
    promise.then(resolve, reject);
    return () => undefined;
  });
}

/** Waits `ms`. Throws the signal's reason. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return abortable(signal, ({ resolve }) => {
    const timer = clock.after(ms, resolve);
    return () => timer.cancel();
  });
}

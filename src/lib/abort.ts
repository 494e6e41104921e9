/** Promises that a signal may end early. */

/** Settles as the promise does, or rejects with the signal's reason: what the promise comes to is dropped then. */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) promise.catch(() => undefined);
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", aborted, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}

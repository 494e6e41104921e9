/**
 * The process that looks names up: a program of its own in the build. A name whose DNS hangs occupies one of its threads
 * and nothing else; the process is killed with whatever hangs in it.
 */
import { lookUp, type FromResolver, type ToResolver } from "./look-up.js";

// A terminal's signals are for the parent process: this one ends with the channel. A listener for SIGUSR1 keeps Node.js
// from opening its debugger.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => undefined);

// Not process.exit, which waits for the threads that hang.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));

const ready: FromResolver = { isReady: true };
process.send?.(ready, undefined, {}, () => undefined);

process.on("message", ({ id, ...question }: ToResolver) => {
  lookUp(question, (answer) => {
    const message: FromResolver = { id, ...answer };
    process.send?.(message, undefined, {}, () => undefined);
  });
});

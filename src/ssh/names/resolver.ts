/**
 * The process that looks names up: a program of its own for the build. A name whose DNS hangs holds one of its threads
 * for as long as it likes, and nothing else; the process is killed with whatever hangs in it.
 */
import { lookUp } from "./look-up.js";
import type { FromResolver, ToResolver } from "./messages.js";

// A terminal's signals are for the one who asked: this one ends with the channel. A listener for SIGUSR1 keeps Node's
// debugger closed.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => undefined);

// Not by process.exit, which waits for the threads that hang.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));

process.on("message", ({ id, ...question }: ToResolver) => {
  lookUp(question, (answer) => {
    const message: FromResolver = { id, ...answer };
    process.send?.(message, undefined, {}, () => undefined);
  });
});

/** This process as a job of a shell: foreground and background, stopped and going on (POSIX.1-2024, section 11.1). */
import { readFileSync } from "node:fs";
import type { Clock } from "../lib/clock.js";
import type { Job } from "./terminal-keyboard.js";

/** Its own group. */
const GROUP = 0;
/** Until the stop has certainly come. It is over at once when the program goes on. */
const STOP_MS = 20;

export function shellJob(clock: Clock): Job {
  return { isInForeground, send: (signal) => process.kill(GROUP, signal), watch };

  function watch(release: () => void, resume: () => void): () => void {
    let isWatching = true;
    const onStop = (): void => {
      release();
      // The signal's own effect, so that the shell sees why.
      process.off("SIGTSTP", onStop);
      process.kill(process.pid, "SIGTSTP");
      clock.after(STOP_MS, () => {
        if (!isWatching) return;
        process.on("SIGTSTP", onStop);
        resume();
      });
    };
    const onQuit = (): void => {
      release();
      process.off("SIGQUIT", onQuit);
      process.kill(process.pid, "SIGQUIT");
    };
    process.on("SIGTSTP", onStop).on("SIGQUIT", onQuit).on("SIGCONT", resume);
    return () => {
      isWatching = false;
      process.off("SIGTSTP", onStop).off("SIGQUIT", onQuit).off("SIGCONT", resume);
    };
  }
}

/** By proc_pid_stat(5), fields pgrp and tpgid. True where there is no /proc: a shell's job most often is. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    // After the program's name: state, ppid, pgrp, session, tty_nr, tpgid.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === foreground;
  } catch {
    return true;
  }
}

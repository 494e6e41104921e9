/**
 * A core that is slower than it is, by a quota: whoever runs on it has the servers of this machine as much faster beside
 * it, as a watcher has whose hosts are elsewhere. The machine must have that much to give.
 */
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SlowCore {
  /** Goes before a program's argv. */
  readonly prefix: readonly string[];
  /** Call it after the program has ended. */
  remove(): void;
}

const V1 = "/sys/fs/cgroup/cpu";
const PERIOD_US = 20_000;
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

let made = 0;

/** `share` of a core; null where quotas cannot be set (no root, or no cgroup of version 1). */
export function slowCore(share: number): SlowCore | null {
  made += 1;
  const dir = join(V1, `allsmi-bench-${process.pid}-${made}`);
  try {
    mkdirSync(dir);
    writeFileSync(join(dir, "cpu.cfs_period_us"), String(PERIOD_US));
    writeFileSync(join(dir, "cpu.cfs_quota_us"), String(Math.round(PERIOD_US * share)));
  } catch {
    return null;
  }
  return {
    prefix: ["sh", "-c", ENTER, dir],
    remove: () => {
      try {
        rmdirSync(dir);
      } catch {
        // Something in it still ends; an empty group is no harm.
      }
    },
  };
}

/** The operating systems with sections of their own. */
import { darwin } from "./darwin.js";
import type { HostSystem } from "./host-system.js";
import { linux } from "./linux.js";
import { windows } from "./windows.js";

/** Read by a shell script, which distinguishes them by `uname -s`. */
export const HOST_SYSTEMS: readonly HostSystem[] = [linux, darwin];

/** Read by plain commands: they have no POSIX shell. */
export const PLAIN_SYSTEMS: readonly HostSystem[] = [windows];

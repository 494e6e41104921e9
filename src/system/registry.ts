/** The operating systems whose own sections are read. */
import { darwin } from "./darwin.js";
import type { HostSystem } from "./host-system.js";
import { linux } from "./linux.js";
import { windows } from "./windows.js";

/** By shell script, told apart by `uname -s`. */
export const HOST_SYSTEMS: readonly HostSystem[] = [linux, darwin];

/** By plain commands: no POSIX shell runs there. */
export const PLAIN_SYSTEMS: readonly HostSystem[] = [windows];

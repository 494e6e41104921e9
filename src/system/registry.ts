/** The operating systems whose own sections are read by script; Windows, which runs none, is asked plainly. */
import { darwin } from "./darwin.js";
import type { HostSystem } from "./host-system.js";
import { linux } from "./linux.js";

export const HOST_SYSTEMS: readonly HostSystem[] = [linux, darwin];

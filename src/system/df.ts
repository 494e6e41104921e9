/** Local file systems and their space: `df -P` (POSIX), only of mount points that do not depend on a network. */
import type { Storage } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Part } from "../shims/kit/shim.js";
import { kibibytes } from "./numbers.js";

/** Network and FUSE mounts can hang; pseudo file systems and images (squashfs) use no space of the host. */
const LOCAL_TYPES = "ext[234]|xfs|btrfs|zfs|bcachefs|f2fs|jfs|reiserfs|vfat|exfat|ntfs|ntfs3|hfsplus|nilfs2";

/**
 * Each device once, at its first mount point. Mounted files (a container's /etc/hosts) are left out. grep filters first:
 * a container host has thousands of long overlay lines, which a shell would read byte by byte. The kernel writes a blank in a path as \\040 and a tab as \\011, which `printf %b` reads.
 */
export const LINUX_STORAGE: Part = {
  id: "host.storage",
  kind: "shell",
  command:
    `grep -E "^[^ ]+ (/ overlay|[^ ]+ (${LOCAL_TYPES})) " /proc/mounts | ` +
    `(set --; hs=" "; while read -r hd hm hr; do case $hs in *" $hd "*) continue;; esac; ` +
    `case $hm in *040*|*011*) hm=$(printf %b "$hm");; esac; ` +
    `if [ -d "$hm" ]; then hs="$hs$hd "; set -- "$@" "$hm"; fi; done; ` +
    `if [ $# -gt 0 ]; then x df -P -k "$@"; fi)`,
};

/** macOS: the APFS and HFS volumes. `df -l` lists only local file systems (df(1), macOS 10.3 and later). */
export const DARWIN_STORAGE: Part = { id: "host.storage", kind: "program", command: "df -l -P -k" };

// KiB of size, used and available, then `12%` (or `-`), then the mount point. The device comes before. Device and
// mount point may have blanks. All lengths are bounded, so that the cost is linear in the line's length.
const NUMBERS =
  /(?<=\S)\s{1,64}(\d{1,20})\s{1,64}(-?\d{1,20})\s{1,64}(-?\d{1,20})\s{1,64}(?:\d{1,20}%|-)\s{1,64}(?=\/)/;

/** Sizes in bytes. Lines that are no row of the table are skipped. */
export function parseDf(stdout: string): readonly Storage[] {
  const rows: Storage[] = [];
  for (const line of stdout.split("\n")) {
    const match = NUMBERS.exec(line);
    if (match === null) continue;
    const [, size, used, available] = match;
    const device = line.slice(0, match.index);
    const mountPoint = line.slice(match.index + match[0].length).trimEnd();
    const total = kibibytes(size);
    if (total === null || total === 0 || device === "devfs" || device.startsWith("map ")) continue;
    rows.push({
      index: rows.length,
      mount_point: cleanText(mountPoint),
      total_bytes: total,
      // Negative where root's reserve is in use: nothing is left for others.
      available_bytes: available?.startsWith("-") === true ? 0 : kibibytes(available),
      used_bytes: kibibytes(used),
      device: cleanText(device),
    });
  }
  return rows;
}

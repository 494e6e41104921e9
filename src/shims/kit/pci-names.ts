/**
 * Product names from the host's own pci.ids (man 5 pci.ids): a vendor's line `1002  AMD`, then a line of each device, which
 * begins with a tab: `	740f  Aldebaran/MI200 [Instinct MI210]`.
 */
import { cleanText } from "../../lib/text.js";

const PLACES = [
  "/usr/share/hwdata/pci.ids",
  "/usr/share/misc/pci.ids",
  "/usr/share/pci.ids",
  "/usr/local/share/pci.ids",
  "/var/lib/pciutils/pci.ids",
].join(" ");

/**
 * Shell text for a `buffered-shell` part: prints `pci_id VENDOR:DEVICE` of the device in `$zd`, a folder of /sys, and keeps
 * the id in `$zn`, for PCI_NAMES_COMMAND.
 */
export const NOTE_PCI_ID =
  `zv=; { read -r zv; } <$zd/vendor; zi=; { read -r zi; } <$zd/device; zv=\${zv#0x}; zi=\${zi#0x}; ` +
  // Only four digits each come near a program's argument. With `=` before it, the line that was found does not look like the
  // next vendor's, where the range of another device of this vendor ends.
  `case $zv:$zi in [0-9a-f][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f][0-9a-f][0-9a-f][0-9a-f]) w "pci_id $zv:$zi$n"; ` +
  `case "$zn" in *"]$zi  /=$zv:"*) ;; *) zn="$zn;/^$zv  /,/^[0-9a-f]/{s/^[[:blank:]]$zi  /=$zv:$zi /p;}";; esac;; esac`;

/** Shell text: prints `@names`, and lines of `=VENDOR:DEVICE NAME` for the ids in `$zn`, by one process. Empties `$zn`. */
export const PCI_NAMES_COMMAND =
  `w "@names$n"; f; for zf in ${PLACES}; do if [ -n "$zn" ] && [ -r $zf ]; then ` +
  `b sed -n -e "\${zn#;}" $zf 2>/dev/null; break; fi; done; zn=`;

/** Names by `vendor:device` from PCI_NAMES_COMMAND's lines, other lines among them. */
export function pciNamesIn(lines: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const line of lines) {
    const match = /^=([0-9a-f]{4}:[0-9a-f]{4}) +(\S.*)$/.exec(line);
    if (match?.[1] !== undefined && !names.has(match[1]))
      names.set(match[1], cleanText(match[2] ?? "").trim());
  }
  return names;
}

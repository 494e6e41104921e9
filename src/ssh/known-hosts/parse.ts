/** The text of a known_hosts file as entries (hostfile.c: hostkeys_foreach, OpenSSH 9.2). Never throws. */
import { readEntryNames, type EntryNames } from "./entry-names.js";
import type { KnownLine } from "./host-key.js";

export type Marker = "none" | "revoked" | "cert-authority";

/** A line that may be for a host. Its key is still text: only the lines of hosts that are asked for are decoded. */
export interface KnownHostsEntry {
  readonly at: KnownLine;
  readonly marker: Marker;
  readonly names: EntryNames;
  /** `type base64 comment` */
  readonly keyText: string;
}

/** The lines of a file that can be for a host. `text` holds one byte a character (latin1). Bad lines are skipped. */
export function parseKnownHosts(text: string, file: string, linesBefore = 0): KnownHostsEntry[] {
  const entries: KnownHostsEntry[] = [];
  let number = linesBefore;
  for (const line of text.split("\n")) {
    const entry = parseLine(line, { file, line: ++number });
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function parseLine(raw: string, at: KnownLine): KnownHostsEntry | null {
  const line = skipBlanks(raw);
  if (/^(?:$|[#\0])/.test(line)) return null;
  const marked = readMarker(line);
  if (marked === null) return null;
  const [field, keyText] = cutField(marked.rest);
  if (keyText === "" || keyText.startsWith("#")) return null;
  const names = readEntryNames(field);
  return names === null ? null : { at, marker: marked.marker, names, keyText };
}

/** Null for a marker that ssh does not know, or for two. */
function readMarker(line: string): { marker: Marker; rest: string } | null {
  if (!line.startsWith("@")) return { marker: "none", rest: line };
  // ssh ends the marker at the first blank, and looks for a tab only in a line without blanks.
  const blank = line.includes(" ") ? line.indexOf(" ") : line.indexOf("\t");
  const rest = skipBlanks(line.slice(blank));
  if (blank < 0 || rest.startsWith("@")) return null;
  switch (line.slice(0, blank)) {
    case "@revoked":
      return { marker: "revoked", rest };
    case "@cert-authority":
      return { marker: "cert-authority", rest };
    default:
      return null;
  }
}

/** ssh's lines are C strings: a NUL ends them, but a NUL right after the names counts as a blank. */
function cutField(text: string): [string, string] {
  const end = text.search(/[ \t\0]/);
  if (end < 0) return [text, ""];
  const rest = text.slice(end + 1);
  const nul = rest.indexOf("\0");
  return [text.slice(0, end), skipBlanks(nul < 0 ? rest : rest.slice(0, nul))];
}

function skipBlanks(text: string): string {
  return text.replace(/^[ \t]+/, "");
}

/** The quick form of plainMeminfo (../proc-meminfo.ts): no line is matched by a pattern. */

/** Bytes of each of `names`, in their order; null for one that the lines do not have. */
export function quickMeminfo(lines: readonly string[], names: readonly string[]): readonly (number | null)[] {
  const found: (number | null)[] = [];
  for (let name = 0; name < names.length; name++) found.push(null);
  for (const line of lines) {
    // Every name begins with a capital; the CPUs of a large host are several hundred other lines.
    if (!isCapital(line.charCodeAt(0))) continue;
    const colon = line.indexOf(":");
    const name = colon < 0 ? -1 : indexIn(line, colon, names);
    const bytes = name < 0 ? -1 : bytesIn(line, colon + 1);
    if (bytes >= 0) found[name] = bytes;
  }
  return found;
}

/** The index of the name that ends at the colon; -1 for none. */
function indexIn(line: string, colon: number, names: readonly string[]): number {
  for (let name = 0; name < names.length; name++)
    if (names[name]?.length === colon && line.startsWith(names[name] ?? "")) return name;
  return -1;
}

/** `    8672 kB` from `begin` on, in bytes; -1 for anything else. */
function bytesIn(line: string, begin: number): number {
  let first = begin;
  while (isBlank(line.charCodeAt(first))) first += 1;
  let end = first;
  let kib = 0;
  for (let code = line.charCodeAt(end); isDigit(code); code = line.charCodeAt(++end))
    kib = kib * 10 + (code - 0x30);
  const isNumber = first > begin && end > first && end - first <= 16 && Number.isSafeInteger(kib * 1024);
  if (!isNumber || !line.startsWith(" kB", end)) return -1;
  return end + 3 === line.length || line.slice(end + 3).trim() === "" ? kib * 1024 : -1;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isCapital(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

/** Values as ssh_config writes them, read as OpenSSH's misc.c and bsd-scan_scaled.c read them. Null: not accepted. */

const INT_MAX = 0x7fffffff;

/** strtonum(3) from 0 to `max`: leading blanks and a sign are allowed. A string is the reason. */
export function parseInteger(
  text: string,
  max = INT_MAX,
): number | "missing" | "invalid" | "too small" | "too large" {
  if (text === "") return "missing";
  if (!/^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(text)) return "invalid";
  const value = Number(text);
  if (value < 0) return "too small";
  return value > max ? "too large" : value + 0;
}

const SECONDS_PER: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds of `90`, `1h30m`, `2D`. */
export function parseSeconds(text: string): number | null {
  const part = /[ \t\n\v\f\r]*\+?([0-9]+)([smhdw]?)/iy;
  let total = 0;
  let at = 0;
  if (text === "") return null;
  while (at < text.length) {
    part.lastIndex = at;
    const found = part.exec(text);
    if (found === null) return null;
    const [all, digits = "", unit = ""] = found;
    total += Number(digits) * (SECONDS_PER[unit.toLowerCase() || "s"] ?? 1);
    if (total > INT_MAX) return null;
    at += all.length;
  }
  return total;
}

const SCALES = "bkmgtpe";
const INT64_MAX = 2n ** 63n - 1n;

/** Bytes of `1G`, `16`, `1.5K` (scan_scaled): powers of 1024. */
export function parseBytes(text: string): bigint | null {
  const parts = /^[ \t\n\v\f\r]*([+-]?)([0-9]*)(?:\.([0-9]*))?([bkmgtpe]?)$/i.exec(text);
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = "", unit = ""] = parts;
  if (whole === "" && fraction === "") return null;
  if (whole.length + fraction.length > 20) return null;
  const scale = 1024n ** BigInt(unit === "" ? 0 : SCALES.indexOf(unit.toLowerCase()));
  let bytes = BigInt(whole || "0") * scale;
  if (bytes > INT64_MAX) return null;
  if (unit !== "" && fraction !== "") bytes += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  return sign === "-" ? -bytes : bytes;
}

/** An octal mode from 0 to 0777; what follows the digits is ignored, as strtol(3) is used. */
export function parseMask(text: string): number | null {
  const digits = /^[ \t\n\v\f\r]*\+?([0-7]+)/.exec(text)?.[1];
  if (digits === undefined) return null;
  const mask = parseInt(digits, 8);
  return mask > 0o777 ? null : mask;
}

const TUNNEL_MAX = 0x7fffffff - 2;

/** `local[:remote]`, each a number or `any`. */
export function parseTunnelDevice(text: string): string | null {
  const colon = text.indexOf(":");
  const local = tunnelNumber(colon === -1 ? text : text.slice(0, colon));
  const remote = colon === -1 ? "any" : tunnelNumber(text.slice(colon + 1));
  return local === null || remote === null ? null : `${local}:${remote}`;
}

function tunnelNumber(text: string): string | null {
  if (text.toLowerCase() === "any") return "any";
  const value = parseInteger(text, TUNNEL_MAX);
  return typeof value === "number" ? String(value) : null;
}

/** The printed name of an escape character, as vis(3) shows it. */
export function parseEscapeChar(text: string): string | null {
  if (text === "none") return "none";
  const bytes = Buffer.from(text);
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 1) return showByte(first);
  if (bytes.length === 2 && first === 0x5e && second >= 64 && second < 128) return showByte(second & 31);
  return null;
}

function showByte(byte: number): string {
  if (byte === 0x20) return "\\040";
  if (byte === 0x5c) return "\\\\";
  if (byte < 32) return `\\^${String.fromCharCode(byte + 64)}`;
  return byte === 127 ? "\\^?" : String.fromCharCode(byte);
}

/** Names of IP type-of-service values, the first name of a value being the one that is printed (iptos2str). */
const QOS: readonly (readonly [string, number])[] = [
  ["none", -1],
  ["af11", 0x28],
  ["af12", 0x30],
  ["af13", 0x38],
  ["af21", 0x48],
  ["af22", 0x50],
  ["af23", 0x58],
  ["af31", 0x68],
  ["af32", 0x70],
  ["af33", 0x78],
  ["af41", 0x88],
  ["af42", 0x90],
  ["af43", 0x98],
  ["cs0", 0x00],
  ["cs1", 0x20],
  ["cs2", 0x40],
  ["cs3", 0x60],
  ["cs4", 0x80],
  ["cs5", 0xa0],
  ["cs6", 0xc0],
  ["cs7", 0xe0],
  ["ef", 0xb8],
  ["le", 0x04],
  ["lowdelay", 0x10],
  ["throughput", 0x08],
  ["reliability", 0x04],
];

/** The printed form of one IPQoS value. */
export function parseQos(text: string): string | null {
  const named = QOS.find(([name]) => name === text.toLowerCase());
  const value = named?.[1] ?? parseCNumber(text);
  if (value === null || (value < 0 && named === undefined) || value > 255) return null;
  return QOS.find(([, known]) => known === value)?.[0] ?? `0x${value.toString(16).padStart(2, "0")}`;
}

/** strtol(3) with base 0: decimal, 0x hexadecimal, 0 octal. */
function parseCNumber(text: string): number | null {
  const parts = /^[ \t\n\v\f\r]*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.exec(text);
  if (parts === null) return null;
  const [, sign = "", digits = ""] = parts;
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}

/** A DNS name for CanonicalDomains: in lower case, without the dot at its end. A failure has ssh's message. */
export function parseDomain(text: string): { domain: string } | { message: string } {
  const name = text.toLowerCase();
  if (name === "") return { message: "empty domain name" };
  if (!/^[a-z0-9]/.test(name)) return { message: `domain name "${text}" starts with invalid character` };
  for (let at = 0; at < name.length; at++) {
    if (name.startsWith("..", at))
      return { message: `domain name "${text}" contains consecutive separators` };
    if (!/[a-z0-9._-]/.test(name.charAt(at))) {
      return { message: `domain name "${text}" contains invalid characters` };
    }
  }
  return { domain: name.endsWith(".") ? name.slice(0, -1) : name };
}

/** Numeric addresses in the notations that getaddrinfo(3) accepts, written as getnameinfo(3) writes them. */
import { isIPv6 } from "node:net";
import type { AddressFamily } from "./environment.js";

/** Whether a name can only be an address (is_addr_fast in ssh.c). */
export function looksNumeric(name: string): boolean {
  return /[%:]/.test(name) || /^[0-9.]*$/.test(name);
}

/** The usual notation of a numeric address; null when it is no address (of that family). Scoped addresses give null. */
export function canonicalAddress(name: string, family: AddressFamily): string | null {
  const ipv4 = family === "inet6" ? null : readIpv4(name);
  if (ipv4 !== null) return ipv4;
  return family !== "inet" && isIPv6(name) && !name.includes("%") ? writeIpv6(name) : null;
}

/** One to four parts in decimal, octal or hexadecimal; the last fills what is left (inet_aton(3)). */
function readIpv4(name: string): string | null {
  // Most names are none; a part begins with a digit.
  if (!/^[0-9]/.test(name)) return null;
  const parts = name.split(".");
  if (parts.length > 4 || !parts.every((part) => /^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.test(part)))
    return null;
  const numbers = parts.map((part) => (/^0[0-7]+$/.test(part) ? parseInt(part, 8) : Number(part)));
  const last = numbers.pop() ?? 0;
  const limit = 256 ** (4 - numbers.length);
  if (last >= limit || numbers.some((number) => number > 255)) return null;
  const value = numbers.reduce((sum, number, at) => sum + number * 256 ** (3 - at), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function writeIpv6(name: string): string {
  const groups = readGroups(name);
  const run = longestZeros(groups);
  const [, , , , , fifth = 0, sixth = 0, seventh = 0] = groups;
  const embedsIpv4 = run.start === 0 && (run.length === 6 || (run.length === 5 && fifth === 0xffff));
  const texts = groups.map((group) => group.toString(16));
  if (embedsIpv4) {
    texts.splice(6, 2, [sixth >> 8, sixth & 255, seventh >> 8, seventh & 255].join("."));
  }
  if (run.length < 2) return texts.join(":");
  return `${texts.slice(0, run.start).join(":")}::${texts.slice(run.start + run.length).join(":")}`;
}

function readGroups(name: string): number[] {
  const [, head = "", tail = ""] = /^(.*?)(?:::(.*))?$/.exec(name) ?? [];
  const read = (text: string): number[] =>
    text === ""
      ? []
      : text
          .split(":")
          .flatMap((group) => (group.includes(".") ? readEmbedded(group) : [parseInt(group, 16)]));
  const left = read(head);
  const right = read(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function readEmbedded(ipv4: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best.length >= 2 ? best : { start: -1, length: 0 };
}

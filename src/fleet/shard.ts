/** `--shard I/N`: which of N processes watches a host. Each is given the same hosts, and together they watch each once. */
import { createHash } from "node:crypto";
import type { Shard } from "../contract/options.js";
import type { Target } from "../contract/target.js";
import { lowerAscii } from "../lib/text.js";

/**
 * By the name as typed and nothing else: neither order, user, labels nor what a name resolves to today move a host. A new
 * host moves no other, and another N moves few. Jump consistent hash (Lamping and Veach 2014, arXiv:1406.2294).
 */
export function isOfShard({ host }: Target, { index, count }: Shard): boolean {
  return shardOf(lowerAscii(host), count) === index;
}

/** From 0 to `count` - 1. */
function shardOf(name: string, count: number): number {
  const hash = createHash("sha256").update(name).digest();
  let state = hash.readUInt32LE(0);
  let shard = 0;
  for (let next = 0; next < count;) {
    shard = next;
    state = (state + 0x6d2b79f5) >>> 0;
    next = Math.floor((shard + 1) / ((mixed(state) + 1) / 2 ** 32));
  }
  return shard;
}

/** Bits of a counter mixed (mulberry32): the numbers that the hash draws after the first. */
function mixed(state: number): number {
  let bits = Math.imul(state ^ (state >>> 15), state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}

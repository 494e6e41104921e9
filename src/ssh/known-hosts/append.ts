/** Adding to known_hosts (hostfile.c: add_host_to_hostfile). */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync, writeSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { hashName } from "./entry-names.js";

const WRITE_SETTLE_MS = 2;

/** For the operator, who may compare it: `key` is its type and fingerprint. */
export function addedText(host: string, key: string, file: string): string {
  return `${host} was new: its host key ${key} is accepted from now on and was added to ${file}`;
}

/** `name type base64`, or with HashKnownHosts one line a name, since a hash holds one name. */
export function knownHostsLines(names: readonly string[], type: string, blob: Buffer, hash: boolean): string {
  const fields = hash ? names.map((name) => hashName(name)) : [names.join(",")];
  return fields.map((field) => `${field} ${type} ${blob.toString("base64")}\n`).join("");
}

/**
 * Appends whole lines in one write, so that programs that append at the same time never mix their lines. Creates the
 * file with mode 0600, and `sshDir` (~/.ssh, 0700) when the file is directly in it; no other folder, as ssh. Starts a new
 * line where the file does not end with one. Follows symlinks, as ssh. Returns the text written and the file's stats
 * afterwards; throws the system's error.
 */
export function appendLines(file: string, lines: string, sshDir: string): { text: string; stats: Stats } {
  if (dirname(file) === sshDir) makeIfMissing(sshDir);
  const descriptor = openSync(file, "a+", 0o600);
  try {
    const text = endsLine(descriptor) ? lines : `\n${lines}`;
    writeSync(descriptor, text);
    return { text, stats: fstatSync(descriptor) };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Another program's write appears page by page while it runs, so an unfinished line is checked twice. A write that takes
 * longer leaves a blank line, which known_hosts may have (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 */
function endsLine(descriptor: number): boolean {
  if (endsLineNow(descriptor)) return true;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITE_SETTLE_MS);
  return endsLineNow(descriptor);
}

function endsLineNow(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  return readSync(descriptor, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
}

function makeIfMissing(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false }) === undefined) mkdirSync(dir, { mode: 0o700 });
}

/**
 * A login shell that answers our script from a recording, so that a machine can serve far more hosts than it could run
 * shells for: a static program that reads `t N` and writes what a real shell once answered, with this session's nonce
 * and tick. sshd, its encryption and its pipes are real.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startMetered } from "../measure/cpu-meter.js";
import { compile } from "./fake-gpus.js";
import { oursArgv, startFarm } from "./fleet.js";

/** Answered in turn: readings differ from tick to tick as they did when they were recorded. */
const TICKS = 24;
/** Stands for each byte of a nonce. */
const NONCE_BYTE = 1;
const NONCE_BYTES = 12;

interface Recording {
  readonly bootstrap: Buffer;
  /** Each without its tick's number, which comes last. */
  readonly ticks: readonly Buffer[];
}

/** Null where there is no C compiler. `program` is asked for its script, which one real shell answers. */
export async function makeRecordedShell(program: string, dir: string): Promise<string | null> {
  mkdirSync(dir, { recursive: true });
  const shell = join(dir, "recorded-shell");
  if (!compile(sourceOf(await record(program, dir)), dir, shell)) return null;
  chmodSync(shell, 0o755);
  return shell;
}

async function record(program: string, dir: string): Promise<Recording> {
  const shell = join(dir, "recording-shell");
  const answered = join(dir, "answered");
  writeFileSync(shell, `#!/bin/sh\n/bin/sh -c "$2" | tee ${answered}\n`);
  chmodSync(shell, 0o755);
  const farm = await startFarm(1, { shell });
  try {
    const running = startMetered(
      oursArgv(program, farm, ["--interval", "0.3", "--count", String(TICKS + 4)]),
    );
    running.stdout.resume();
    const { code } = await running.ended;
    if (code !== 0) throw new Error(`nothing to record: ${running.stderr()}`);
  } finally {
    await farm.stop();
  }
  return splitRecording(readFileSync(answered));
}

/** What one session answered, as frames. Throws when there are no ticks in it. */
export function splitRecording(answered: Buffer): Recording {
  const text = answered.toString("latin1");
  const nonce = new RegExp(`\n@([0-9a-f]{${NONCE_BYTES}}) v `).exec(text)?.[1];
  if (nonce === undefined) throw new Error("a recording without a bootstrap");
  const blank = String.fromCharCode(NONCE_BYTE).repeat(NONCE_BYTES);
  const ends = new RegExp(`(?<=\n@${blank} z )\\d+\n`);
  const frames = text.replaceAll(nonce, blank).split(ends).slice(0, -1);
  const [bootstrap, ...ticks] = frames.map((frame) => Buffer.from(frame, "latin1"));
  if (bootstrap === undefined || ticks.length === 0) throw new Error("a recording without ticks");
  return { bootstrap, ticks: ticks.slice(0, TICKS) };
}

function sourceOf({ bootstrap, ticks }: Recording): string {
  const frames = [bootstrap, ...ticks];
  const largest = Math.max(...frames.map((frame) => frame.length));
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static const struct { unsigned length; const char *text; } frames[] = {${frames.map((frame) => `{${frame.length},${literal(frame)}}`).join(",\n")}};
static char nonce[${NONCE_BYTES}], out[${largest + 32}], in[1 << 16];
static void answer(int frame, long tick) {
  size_t length = frames[frame].length;
  memcpy(out, frames[frame].text, length);
  for (char *at = out; (at = memchr(at, ${NONCE_BYTE}, out + length - at)); at += sizeof nonce) memcpy(at, nonce, sizeof nonce);
  length += sprintf(out + length, "%ld\\n", tick);
  for (size_t done = 0; done < length;) {
    ssize_t written = write(1, out + done, length - done);
    if (written < 0) exit(1);
    done += written;
  }
}
int main(int argc, char **argv) {
  char *found = argc == 3 ? strstr(argv[2], ";N=") : 0;
  if (!found) return 127;
  memcpy(nonce, found + 3, sizeof nonce);
  answer(0, 0);
  if (!strstr(found, ";exec /bin/sh -s'")) return 0;
  int next = getpid() % ${ticks.length};
  size_t held = 0;
  for (ssize_t got; (got = read(0, in + held, sizeof in - 1 - held)) > 0;) {
    held += got;
    in[held] = 0;
    char *line = in;
    for (char *end; (end = strchr(line, '\\n')); line = end + 1) {
      if (line[0] != 't' || line[1] != ' ') continue;
      answer(1 + next, atol(line + 2));
      next = (next + 1) % ${ticks.length};
    }
    held -= line - in;
    memmove(in, line, held);
  }
  return 0;
}
`;
}

/** A C string literal of any bytes. */
function literal(bytes: Buffer): string {
  const text = bytes
    .toString("latin1")
    .replace(/[^ !#->@-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`);
  return `"${text}"`;
}

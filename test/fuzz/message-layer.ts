/**
 * The layer of messages and channels without a network: a session of ours over ssh2's client, to which the messages of a
 * recorded session are given as if they had just been decrypted, mutated.
 */
import { Duplex } from "node:stream";
import ssh2 from "ssh2";
import type { HostError } from "../../src/contract/errors.js";
import { realClock } from "../../src/lib/clock.js";
import { prepareGroupExchange } from "../../src/ssh/ssh2/group-exchange.js";
import { filterMessages, pingServer, protocolOf } from "../../src/ssh/ssh2/internals.js";
import { ServerLimits } from "../../src/ssh/ssh2/server-limits.js";
import { Ssh2State } from "../../src/ssh/ssh2/server-state.js";
import { handOver, Session } from "../../src/ssh/ssh2/session.js";
import { testPlan } from "../support/host-plan.js";
import { pick, type Random } from "./mutate.js";
import type { Recorded } from "./recorded-messages.js";

export interface MessageResult {
  readonly messages: number;
  readonly dearestMs: number;
  /** How sessions ended, with counts. */
  readonly ends: string;
  readonly problems: readonly string[];
}

const PLAN = testPlan({}, { keyFiles: [], knownHostsFile: "/dev/null" });
const NUMBERS = [0, 1, 63, 64, 255, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const ENDS: ReadonlySet<string> = new Set(["protocol-error", "connection-lost"]);
/** What a few messages may make us send: more is an amplifier. */
const MAX_SENT_BYTES = 2 * 1024 * 1024;

/** Keeps nothing of what is written. */
class Sink extends Duplex {
  sent = 0;
  override _read(): void {
    // Nothing comes by the network.
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent += chunk.length;
    done();
  }
}

interface Decipher {
  inSeqno: number;
  _onPayload(payload: Buffer): unknown;
  free(): void;
}

export async function fuzzMessages(
  cases: number,
  recorded: Recorded,
  random: Random,
  maxMs: number,
): Promise<MessageResult> {
  const problems: string[] = [];
  const ends = new Map<string, number>();
  const onFault = (error: unknown): void =>
    void problems.push(`messages: thrown outside: ${error instanceof Error ? (error.stack ?? "") : "?"}`);
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  let messages = 0;
  let dearestMs = 0;
  try {
    const whole = await playOnce(recorded.session);
    if (whole.end !== "stands" || whole.received === 0)
      problems.push(`messages: the recorded session is not read: ${whole.end}`);
    for (let index = 0; index < cases; index++) {
      const script = mutatedScript(recorded, random);
      messages += script.length;
      let outcome = await playOnce(script);
      for (let again = 0; outcome.ms > maxMs && again < 5; again++) outcome = await playOnce(script);
      dearestMs = Math.max(dearestMs, outcome.ms);
      if (outcome.ms > maxMs) problems.push(`messages, case ${index}: ${outcome.ms.toFixed(0)} ms`);
      if (outcome.problem !== null) problems.push(`messages, case ${index}: ${outcome.problem}`);
      ends.set(outcome.end, (ends.get(outcome.end) ?? 0) + 1);
    }
  } finally {
    process.off("uncaughtException", onFault);
    process.off("unhandledRejection", onFault);
  }
  const text = [...ends].map(([end, count]) => `${end} ${count}`).join(", ");
  return { messages, dearestMs, ends: text, problems };
}

interface Outcome {
  readonly ms: number;
  readonly end: string;
  /** Bytes of both outputs. */
  readonly received: number;
  readonly problem: string | null;
}

async function playOnce(script: readonly Buffer[]): Promise<Outcome> {
  const before = process.cpuUsage();
  const stream = new Sink();
  stream.on("error", () => undefined);
  const client = new ssh2.Client();
  client.on("error", () => undefined);
  client.connect({ sock: stream, username: "watcher", readyTimeout: 0 });
  const protocol = protocolOf(client);
  let lost: HostError | null = null;
  const limits = new ServerLimits(realClock, "host", (error) => session.fail(error));
  limits.watch(new Ssh2State(client));
  const session = new Session({
    client,
    stream,
    plan: PLAN,
    clock: realClock,
    ping: () => pingServer(client),
    limits,
  });
  void session.lost.then((error) => (lost = error));
  limits.loggedIn((error) => session.fail(error));
  const pass = (received: Uint8Array): Uint8Array => {
    const message = limits.pass(received);
    prepareGroupExchange(client, message);
    return message;
  };
  handOver(client, session, {}, pass);
  filterMessages(client, pass);
  const decipher = pretendLoggedIn(protocol);
  let received = 0;
  const count = (chunk: Buffer): void => void (received += chunk.length);
  session.open("x", { stdout: count, stderr: count, closed: () => undefined }).catch(() => undefined);
  let fed = 0;
  for (const payload of script) {
    fed += payload.length;
    decipher.inSeqno += 1;
    try {
      decipher._onPayload(payload);
    } catch (error) {
      // As ssh2 does with what its parser throws.
      client.emit("error", error instanceof Error ? error : new Error("not an error"));
    }
    limits.received(payload.length);
    limits.unsent(stream.writableLength);
  }
  await new Promise((resolve) => setImmediate(resolve));
  const { user, system } = process.cpuUsage(before);
  const ended = lost as HostError | null;
  session.fail(null);
  const problem =
    received > fed
      ? `${received} bytes were received of ${fed}`
      : stream.sent > MAX_SENT_BYTES
        ? `${stream.sent} bytes were sent`
        : ended !== null && !ENDS.has(ended.failure.code)
          ? `ended by ${ended.failure.code}: ${ended.message}`
          : null;
  return { ms: (user + system) / 1000, end: ended?.failure.code ?? "stands", received, problem };
}

/** The state that a login leaves, as far as the messages need it. */
function pretendLoggedIn(protocol: ReturnType<typeof protocolOf>): Decipher {
  const onPayload = (Reflect.get(protocol, "_onPayload") as (payload: Buffer) => unknown).bind(protocol);
  const decipher: Decipher = { inSeqno: 10, _onPayload: onPayload, free: () => undefined };
  protocol._decipher = decipher;
  Object.assign(protocol, {
    _authenticated: true,
    _strictMode: false,
    _remoteIdentRaw: Buffer.from("SSH-2.0-fuzz"),
    _kex: { sessionID: Buffer.alloc(32), negotiated: { cs: { compress: "none" }, sc: { compress: "none" } } },
  });
  return decipher;
}

function mutatedScript({ session, others }: Recorded, random: Random): readonly Buffer[] {
  let script = [...session];
  for (let left = 1 + Math.floor(random() * 6); left > 0; left--) {
    const at = Math.floor(random() * script.length);
    const here = script[at] ?? Buffer.alloc(0);
    const kind = Math.floor(random() * 7);
    if (kind === 0) script.splice(at, 1);
    else if (kind === 1)
      script.splice(at, 0, ...Array.from({ length: 1 + Math.floor(random() * 40) }, () => here));
    else if (kind === 2) script.splice(at, 0, pick(random, others) ?? here);
    else if (kind === 3) script = [...script.slice(at), ...script.slice(0, at)];
    else script[at] = mutatedMessage(here, random);
  }
  return script;
}

function mutatedMessage(message: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(message);
  const at = Math.floor(random() * bytes.length);
  switch (Math.floor(random() * 6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes, Buffer.alloc(1 + Math.floor(random() * 40_000), at)]);
    case 2:
      bytes[0] = Math.floor(random() * 256);
      return bytes;
    case 3:
    case 4:
      if (bytes.length >= 5) {
        // Most fields of messages are aligned to the byte after the number.
        const field = 1 + 4 * Math.floor((random() * (bytes.length - 1)) / 4);
        if (field + 4 <= bytes.length) bytes.writeUInt32BE(pick(random, NUMBERS) ?? 0, field);
      }
      return bytes;
    default:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return bytes;
  }
}

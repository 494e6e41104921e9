/** What one server may make us do: each limit ends the session once, with the reason, and nothing passes after it. */
import assert from "node:assert/strict";
import test from "node:test";
import type { HostError } from "../../../src/contract/errors.js";
import { MAX_UNSENT_BYTES, ServerLimits } from "../../../src/ssh/ssh2/server-limits.js";
import type { ServerState, Windows } from "../../../src/ssh/ssh2/server-state.js";
import { FakeClock } from "../../support/fake-clock.js";

/** A connection with one channel, 0, whose windows have 1000 bytes from the server and almost all to it. */
class FakeState implements ServerState {
  refused = 0;
  sequence = 0;
  isExchanging = false;
  packets(): number {
    return this.sequence;
  }
  isExchangingKeys(): boolean {
    return this.isExchanging;
  }
  windows(channel: number): Windows | null {
    return channel === 0 ? { fromServer: 1000, toServer: 2 ** 32 - 11 } : null;
  }
  refuse(): void {
    this.refused += 1;
  }
}

interface Limited {
  readonly state: FakeState;
  readonly clock: FakeClock;
  readonly limits: ServerLimits;
  readonly errors: HostError[];
}

function limited(isLoggedIn: boolean): Limited {
  const clock = new FakeClock();
  const errors: HostError[] = [];
  const take = (error: HostError): void => void errors.push(error);
  const limits = new ServerLimits(clock, "watcher@host:22", take);
  const state = new FakeState();
  limits.watch(state);
  if (isLoggedIn) limits.loggedIn(take);
  return { clock, limits, errors, state };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const globalRequest = (name: string): Buffer =>
  Buffer.concat([Buffer.from([80]), text(name), Buffer.from([1])]);
const channelRequest = (type: string, wantsReply: boolean): Buffer =>
  Buffer.concat([Buffer.from([98, 0, 0, 0, 0]), text(type), Buffer.from([wantsReply ? 1 : 0, 0, 0, 0, 0])]);
const DATA = Buffer.from([94, 0, 0, 0, 0, 0, 0, 0, 1, 65]);
const IGNORED = Buffer.from([2, 0, 0, 0, 0]);
const KEXINIT = Buffer.from([20]);
const BANNER = Buffer.from([53, 0, 0, 0, 0, 0, 0, 0, 0]);

function send({ limits }: Limited, message: Buffer, times: number): number {
  let passed = 0;
  for (let i = 0; i < times; i++) if (limits.pass(message) === message) passed += 1;
  return passed;
}

const FLOODS = [
  {
    what: "global requests",
    isLoggedIn: true,
    message: globalRequest("x@y"),
    most: 1000,
    why: /1000 requests/,
  },
  {
    what: "channel requests that want a reply",
    isLoggedIn: true,
    message: channelRequest("keepalive@openssh.com", true),
    most: 1000,
    why: /1000 requests/,
  },
  {
    what: "ignored messages",
    isLoggedIn: true,
    message: Buffer.from([2, 0, 0, 0, 1, 0]),
    most: 1000,
    why: /requests/,
  },
  { what: "key exchanges", isLoggedIn: true, message: KEXINIT, most: 60, why: /60 key exchanges/ },
  {
    what: "answers to messages that we never sent",
    isLoggedIn: true,
    message: Buffer.from([3, 0, 0, 0, 9]),
    most: 1000,
    why: /1000 requests/,
  },
  {
    what: "extensions",
    isLoggedIn: true,
    message: Buffer.from([7, 0, 0, 0, 0]),
    most: 1000,
    why: /1000 requests/,
  },
  {
    what: "banners after the login",
    isLoggedIn: true,
    message: BANNER,
    most: 1000,
    why: /1000 requests/,
  },
  {
    what: "banners before the login",
    isLoggedIn: false,
    message: BANNER,
    most: 1000,
    why: /login has not ended/,
  },
];

for (const { what, isLoggedIn, message, most, why } of FLOODS) {
  test(`a flood of ${what} ends the session once`, () => {
    const host = limited(isLoggedIn);
    assert.equal(send(host, message, most + 500), most);
    assert.equal(host.errors.length, 1);
    const [error] = host.errors;
    assert.equal(error?.failure.code, "protocol-error");
    assert.equal(error.failure.phase, isLoggedIn ? "sample" : "handshake");
    assert.match(error.message, why);
    assert.deepEqual(host.limits.pass(DATA), IGNORED, "nothing passes any more");
  });
}

test("readings, ends of commands and a server's keepalives pass for ever", async () => {
  const host = limited(true);
  assert.equal(send(host, DATA, 100_000), 100_000);
  assert.equal(send(host, channelRequest("exit-status", false), 100_000), 100_000);
  for (let minute = 0; minute < 10; minute++) {
    assert.equal(send(host, globalRequest("keepalive@openssh.com"), 900), 900);
    await host.clock.advance(60_000);
  }
  assert.deepEqual(host.errors, []);
});

test("announced host keys are not parsed, and other requests are", () => {
  const host = limited(true);
  const announcement = Buffer.concat([globalRequest("hostkeys-00@openssh.com"), Buffer.alloc(15_000, 7)]);
  assert.deepEqual(host.limits.pass(announcement), IGNORED);
  const other = globalRequest("hostkeys-99@openssh.com");
  assert.equal(host.limits.pass(other), other);
  assert.deepEqual(host.errors, []);
});

test("answers that the server does not read are bounded", () => {
  const host = limited(true);
  host.limits.unsent(MAX_UNSENT_BYTES);
  assert.deepEqual(host.errors, []);
  host.limits.unsent(MAX_UNSENT_BYTES + 1);
  host.limits.unsent(MAX_UNSENT_BYTES + 1);
  assert.equal(host.errors.length, 1);
  assert.match(host.errors.map(({ message }) => message).join(), /1 MiB of our answers/);
});

test("messages that end within their own head are no error of ours", () => {
  const host = limited(true);
  for (const message of [globalRequest("hostkeys-00@openssh.com"), channelRequest("x", true)])
    for (let length = 0; length < message.length; length++) host.limits.pass(message.subarray(0, length));
  assert.deepEqual(host.errors, []);
});

test("what no server may send is answered once each, and not handled", () => {
  const { limits, state, errors } = limited(true);
  // USERAUTH_REQUEST would grow a list of ssh2's; 255 is for private use, 21 belongs to a key exchange.
  for (const type of [0, 5, 21, 30, 50, 61, 83, 101, 255])
    assert.deepEqual(limits.pass(Buffer.from([type, 0, 0, 0, 0])), IGNORED);
  assert.equal(state.refused, 9);
  for (let i = 0; i < 2000; i++) limits.pass(Buffer.from([200]));
  assert.equal(errors.length, 1);
  assert.equal(state.refused, 1000, "no answer beyond the limit");
});

test("within a key exchange everything is ssh2's to judge, up to a hundred messages", () => {
  const host = limited(true);
  assert.equal(host.limits.pass(KEXINIT), KEXINIT);
  host.state.isExchanging = true;
  assert.equal(send(host, Buffer.from([31, 0]), 50), 50);
  assert.equal(send(host, IGNORED, 500), 50);
  assert.match(host.errors[0]?.message ?? "", /100 messages and the key exchange has not ended/);
  assert.equal(host.state.refused, 0);
});

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const message = (type: number, ...fields: readonly (number | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from([type]),
    ...fields.map((field) => (typeof field === "number" ? uint32(field) : field)),
  ]);

const BROKEN: readonly (readonly [string, Buffer, number, RegExp])[] = [
  ["data beyond the window", message(94, 0, text("x".repeat(1001))), 209_715, /window of a channel takes/],
  ["stderr beyond the window", message(95, 0, 1, text("x".repeat(31_000))), 6, /window of a channel takes/],
  ["a window of more than 2^32-1 bytes", message(93, 0, 11), 0, /larger than 2\^32-1/],
  ["packets without a byte", message(91, 0, 0, 1 << 20, 0), 0, /packets of 0 bytes/],
  ["packets of a few bytes", message(91, 0, 0, 1 << 20, 63), 0, /packets of 63 bytes/],
];

for (const [what, bad, forgiven, why] of BROKEN) {
  test(`${what}: ends the session after ${forgiven} times`, () => {
    const host = limited(true);
    assert.equal(send(host, bad, forgiven + 5), forgiven);
    assert.equal(host.errors.length, 1);
    assert.match(host.errors[0]?.message ?? "", why);
  });
}

test("what channels may do is done: full windows, stderr of other types, channels that are not there", () => {
  const host = limited(true);
  const good = [
    message(94, 0, text("x".repeat(1000))),
    message(94, 7, text("x".repeat(5000))),
    message(95, 0, 2, text("x".repeat(5000))),
    message(93, 0, 10),
    message(93, 9, 2 ** 32 - 1),
    message(91, 0, 0, 0, 64),
    message(96, 0),
    message(97, 0),
    message(99, 0),
    message(100, 0),
  ];
  for (const each of good) assert.equal(send(host, each, 1000), 1000);
  assert.deepEqual(host.errors, []);
});

/** A second of packets and bytes, in pieces of 100 packets. */
function second(host: Limited, packets: number, bytes = 64 * packets): void {
  for (let left = packets; left > 0; left -= 100) {
    host.state.sequence += Math.min(left, 100);
    host.limits.received(Math.round((bytes * Math.min(left, 100)) / packets));
  }
}

test("packets, however small, and empty ones too, are bounded by the second", async () => {
  const busy = limited(true);
  for (let secs = 0; secs < 600; secs++) {
    second(busy, 1900);
    await busy.clock.advance(1000);
  }
  assert.deepEqual(busy.errors, []);
  const flooding = limited(true);
  for (let secs = 0; secs < 60 && flooding.errors.length === 0; secs++) {
    second(flooding, 20_000);
    await flooding.clock.advance(1000);
  }
  assert.match(flooding.errors[0]?.message ?? "", /more than 2000 packets a second/);
});

test("single bytes without the end of a packet are bounded", () => {
  const host = limited(true);
  for (let i = 0; i < 60_000; i++) host.limits.received(1);
  assert.match(host.errors[0]?.message ?? "", /more than 2000 packets a second/);
  assert.equal(host.errors.length, 1);
});

test("bytes are bounded by the second, as they are and decompressed", async () => {
  for (const isCompressed of [false, true]) {
    const host = limited(true);
    for (let secs = 0; secs < 100 && host.errors.length === 0; secs++) {
      const bomb = Buffer.alloc(16 * 1024 * 1024);
      bomb[0] = 97;
      if (isCompressed) host.limits.pass(bomb);
      host.limits.received(isCompressed ? 300 : bomb.length);
      await host.clock.advance(1000);
    }
    assert.match(host.errors[0]?.message ?? "", /more than 8 MiB a second/);
  }
});

test("a jump host may send as much for each host behind it", async () => {
  const host = limited(true);
  host.limits.carries(100);
  await host.clock.advance(60_000);
  for (let secs = 0; secs < 60; secs++) {
    second(host, 100_000, 400 * 1024 * 1024);
    await host.clock.advance(1000);
  }
  assert.deepEqual(host.errors, []);
});

test("a strict key exchange that counts packets anew charges those that came after it", () => {
  const host = limited(true);
  for (let i = 0; i < 1000; i++) {
    host.state.sequence = i % 2 === 0 ? 30 : 10;
    host.limits.received(100);
  }
  assert.deepEqual(host.errors, []);
});

test("a server is not blamed for keepalives that piled up while this process was stopped", async () => {
  const host = limited(true);
  await host.clock.advance(4 * 3600 * 1000);
  assert.equal(send(host, globalRequest("keepalive@openssh.com"), 4 * 3600), 4 * 3600);
  host.state.sequence = 4 * 3600;
  host.limits.received(80 * 4 * 3600);
  assert.deepEqual(host.errors, []);
});

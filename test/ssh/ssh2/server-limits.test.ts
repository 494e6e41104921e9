/** What one server may make us do: each limit ends the session once, with the reason, and nothing passes after it. */
import assert from "node:assert/strict";
import test from "node:test";
import type { HostError } from "../../../src/contract/errors.js";
import { MAX_UNSENT_BYTES, ServerLimits } from "../../../src/ssh/ssh2/server-limits.js";
import { FakeClock } from "../../support/fake-clock.js";

interface Limited {
  readonly clock: FakeClock;
  readonly limits: ServerLimits;
  readonly errors: HostError[];
}

function limited(isLoggedIn: boolean): Limited {
  const clock = new FakeClock();
  const errors: HostError[] = [];
  const take = (error: HostError): void => void errors.push(error);
  const limits = new ServerLimits(clock, "watcher@host:22", take);
  if (isLoggedIn) limits.loggedIn(take);
  return { clock, limits, errors };
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

import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import test from "node:test";
import { HostError } from "../../../src/contract/errors.js";
import { realClock } from "../../../src/lib/clock.js";
import { groupsEnded } from "../../../src/ssh/dial/child-process.js";
import { openProxyCommand } from "../../../src/ssh/dial/proxy-command.js";
import { descendantsOf, waitFor } from "../../support/processes.js";

const named = { name: "the proxy command", clock: realClock };

function endOf(stream: Duplex): Promise<Error | null> {
  return new Promise((resolve) => {
    let error: Error | null = null;
    stream.on("error", (cause) => (error = cause));
    stream.on("close", () => resolve(error));
  });
}

async function failureOf(command: string): Promise<HostError> {
  const stream = openProxyCommand(command, named);
  stream.resume();
  const error = await endOf(stream);
  assert.ok(error instanceof HostError);
  return error;
}

test("a proxy command carries bytes both ways", async (t) => {
  const stream = openProxyCommand("cat", named);
  t.after(() => stream.destroy());
  let received = "";
  stream.on("data", (chunk: Buffer) => (received += chunk.toString()));
  const big = "x".repeat(300_000);
  stream.write(big);
  await waitFor("the echo", () => received.length === big.length);
  assert.equal(received, big);
  const ended = endOf(stream);
  stream.end();
  assert.equal(await ended, null);
});

test("a proxy command that ends: the failure has the reason", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["sh -c 'echo no way >&2; exit 3'", /^the proxy command failed: no way; exit status 3$/],
    ["/nonexistent/nc", /not found|No such file/],
    ["sh -c 'kill -9 $$'", /ended by SIGKILL/],
    ["sh -c 'printf \"\\033[31mred\" >&2; exit 1'", /\ufffd\[31mred/],
  ];
  for (const [command, expected] of cases) {
    const error = await failureOf(command);
    assert.equal(error.failure.code, "proxy-failed");
    assert.equal(error.failure.phase, "dial");
    assert.match(error.message, expected);
  }
});

for (const said of [
  "sh: 1: Cannot fork",
  "bash: fork: retry: Resource temporarily unavailable",
  "/bin/sh: line 1: fork: Resource temporarily unavailable",
]) {
  test(`a shell that could start no program is no fault of the host: ${said}`, async () => {
    const { failure } = await failureOf(`sh -c 'echo "${said}" >&2; exit 2'`);
    assert.equal(failure.code, "local-limit");
    assert.match(failure.message, /the proxy command failed: .*ulimit -u/);
  });
}

test("after the first byte an end is a lost connection", async () => {
  const error = await failureOf("sh -c 'echo SSH-2.0-x; echo gone >&2'");
  assert.equal(error.failure.code, "connection-lost");
  assert.match(error.message, /gone; exit status 0/);
});

test("destroying the stream ends the command and its children", async (t) => {
  const stream = openProxyCommand("sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000'", named);
  t.after(() => stream.destroy());
  const sleepers = (): number =>
    descendantsOf(process.pid).filter((entry) => entry.command === "sleep 1000").length;
  await waitFor("two sleepers", () => sleepers() === 2);
  stream.destroy();
  await waitFor("no sleeper", () => sleepers() === 0);
  assert.equal(stream.destroyed, true);
});

test("the end waits for a command that ignores TERM, and for children that do", async (t) => {
  const commands = [
    "sh -c 'trap \"\" TERM; while :; do sleep 1001; done'",
    "sh -c 'sh -c \"trap : TERM; while :; do sleep 1002; done\" & exec sleep 1003'",
  ];
  const sleepers = (): number =>
    descendantsOf(process.pid).filter(({ command }) => /^sleep 100[123]$/.test(command)).length;
  for (const [index, command] of commands.entries()) {
    const stream = openProxyCommand(command, named);
    t.after(() => stream.destroy());
    await waitFor("the sleepers", () => sleepers() === index + 1);
    stream.destroy();
    await groupsEnded();
    await waitFor("no sleeper", () => sleepers() === 0, 100);
  }
});

test("the user's shell runs it, as in ssh", async () => {
  const stream = openProxyCommand("echo $0 $PROXY_MARK", {
    ...named,
    env: { PATH: process.env["PATH"], SHELL: "", PROXY_MARK: "m" },
  });
  stream.resume();
  let received = "";
  stream.on("data", (chunk: Buffer) => (received += chunk.toString()));
  await endOf(stream);
  assert.equal(received, "/bin/sh m\n");
});

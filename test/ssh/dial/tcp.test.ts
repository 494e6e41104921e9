import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import test from "node:test";
import { HostError } from "../../../src/contract/errors.js";
import { realClock } from "../../../src/lib/clock.js";
import { dialDirect } from "../../../src/ssh/dial/tcp.js";
import { inProcessNames, type Names } from "../../../src/ssh/names/names.js";
import { closedPort } from "../../support/free-port.js";
import { testPlan } from "../../support/host-plan.js";
import { signalPid } from "../../support/processes.js";
import { startTcpServer } from "../../support/tcp-server.js";

const deps = { clock: realClock, names: inProcessNames() };

async function failure(config: Parameters<typeof testPlan>[0], timeoutMs = 3_000): Promise<HostError> {
  try {
    const dialled = await dialDirect(testPlan(config, { timeoutMs }), deps, AbortSignal.timeout(20_000));
    dialled.stream.destroy();
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error;
  }
  assert.fail("it was reached");
}

test("a refused port", async () => {
  const port = await closedPort();
  const error = await failure({ port });
  assert.deepEqual([error.failure.code, error.failure.phase], ["connection-refused", "dial"]);
  assert.match(
    error.message,
    new RegExp(`127\\.0\\.0\\.1 port ${port}: connection refused \\(ECONNREFUSED\\)`),
  );
});

test("a name that has no address", async () => {
  const error = await failure({ hostname: "no-such-host.invalid" });
  assert.deepEqual([error.failure.code, error.failure.phase], ["dns-not-found", "resolve"]);
});

test("a name whose addresses all refuse: the failure has the reason", async () => {
  const error = await failure({ hostname: "localhost", port: await closedPort() });
  assert.equal(error.failure.code, "connection-refused");
});

test("a look-up without an answer times out, is reported as such, and is aborted", async () => {
  let isAborted = false;
  const names: Names = {
    ...inProcessNames(),
    find: (_name, _family, signal) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          isAborted = true;
          reject(signal.reason as Error);
        }),
      ),
  };
  const plan = testPlan({ hostname: "hangs.example" }, { timeoutMs: 50 });
  const dialling = dialDirect(plan, { clock: realClock, names }, AbortSignal.timeout(20_000));
  await assert.rejects(dialling, (error: HostError) => {
    assert.deepEqual([error.failure.code, error.failure.phase], ["connect-timeout", "resolve"]);
    assert.equal(error.message, "no answer of the name service for hangs.example within 0.05 s");
    return true;
  });
  assert.ok(isAborted);
});

for (const code of ["EAI_AGAIN", "ENOTFOUND", "EAI_NODATA"]) {
  test(`a look-up that fails with ${code} is dns-not-found`, async () => {
    const names: Names = {
      ...inProcessNames(),
      find: () => Promise.reject(Object.assign(new Error("of the test"), { code })),
    };
    const dialling = dialDirect(
      testPlan({ hostname: "h" }),
      { clock: realClock, names },
      AbortSignal.timeout(5_000),
    );
    await assert.rejects(dialling, (error: HostError) => {
      assert.deepEqual([error.failure.code, error.failure.phase], ["dns-not-found", "resolve"]);
      assert.match(error.message, new RegExp(`\\(${code}\\)$`));
      return true;
    });
  });
}

test("AddressFamily excludes addresses of the other family", async () => {
  const error = await failure({ hostname: "127.0.0.1", addressFamily: "inet6" });
  assert.deepEqual([error.failure.code, error.failure.phase], ["dns-not-found", "resolve"]);
});

test("BindAddress is where the connection comes from", async (t) => {
  let from = "";
  const server = await startTcpServer((socket) => (from = socket.remoteAddress ?? ""));
  t.after(() => server.stop());
  const plan = testPlan({ port: server.port, bindAddress: "127.0.0.7" });
  const { stream, address } = await dialDirect(plan, deps, AbortSignal.timeout(5_000));
  stream.destroy();
  assert.equal(address, "127.0.0.1");
  assert.equal(from, "127.0.0.7");
});

test("a bind address that is not ours is a failure of the network", async () => {
  const error = await failure({ bindAddress: "192.0.2.1", port: 9 });
  assert.deepEqual([error.failure.code, error.failure.phase], ["network-unreachable", "dial"]);
});

test("a port that never answers times out, and an abort ends a dial at once", async (t) => {
  // A stopped process with a full backlog leaves every further SYN unanswered.
  const script =
    "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const fillers: Socket[] = [];
  t.after(() => {
    for (const socket of fillers) socket.destroy();
    if (child.pid !== undefined) signalPid(child.pid, "SIGKILL");
  });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once("data", (text: Buffer) => resolve(Number(text))),
  );
  if (child.pid !== undefined) signalPid(child.pid, "SIGSTOP");
  for (let i = 0; i < 4; i++) {
    fillers.push(connect(port, "127.0.0.1").on("error", () => undefined));
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const error = await failure({ port }, 500);
  assert.deepEqual([error.failure.code, error.failure.phase], ["connect-timeout", "dial"]);
  assert.match(error.message, /within 0\.5 s/);

  const stop = new AbortController();
  const dialling = dialDirect(testPlan({ port }, { timeoutMs: 60_000 }), deps, stop.signal);
  setTimeout(() => stop.abort(new Error("enough")), 20);
  await assert.rejects(dialling, { message: "enough" });
});

test("what Node refuses to dial at once is the host's failure, not the process's", async () => {
  const named = await failure({ port: await closedPort(), bindAddress: "localhost" });
  assert.deepEqual([named.failure.code, named.failure.phase], ["network-unreachable", "dial"]);
  const port = await failure({ port: 70_000 });
  assert.equal(port.failure.phase, "dial");
});

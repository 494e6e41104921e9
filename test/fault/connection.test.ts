/** What happens to a connection, over a real sshd and the built program: one record a tick throughout, and back by itself. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { gist, reach, remains } from "../support/faulty-host.js";
import { closedPort } from "../support/free-port.js";
import { signalPid, waitFor } from "../support/processes.js";
import { startRelay } from "../support/relay.js";
import { makeKey, type KeyPair } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("fault-connection");
let servers = 0;
let hostKey: KeyPair;
let userKey: KeyPair;

before(() => {
  hostKey = makeKey(join(temp.path, "host"));
  userKey = makeKey(join(temp.path, "user"));
});
after(() => temp.remove());

interface Server extends Sshd {
  /** A folder that stays when the server has stopped. */
  readonly files: string;
  /** Where its tool is. */
  readonly bin: string;
  /** The tool takes 3.3 s more while this file is there. */
  readonly slow: string;
}

async function serve(t: TestContext, options: SshdOptions = {}): Promise<Server> {
  const dir = join(temp.path, String(servers++));
  const bin = join(dir, "bin");
  const slow = join(dir, "slow");
  makeTools(bin, {
    "nvidia-smi": fakeNvidiaSmi({ before: `[ -e ${slow} ] && sleep 3.3; sleep 0.4` }),
  });
  const server = await startSshd({ bin, shell: "/bin/sh", ...options });
  t.after(() => server.stop());
  return { ...server, files: dir, bin, slow };
}

/** With the keys of every other that is started here. */
function startAgain(t: TestContext, port = 0): Promise<Server> {
  return serve(t, { port, hostKeys: [hostKey], authorizedKeys: [userKey.publicLine] });
}

interface Watching {
  readonly ended: Promise<CliRun>;
  readonly process: ChildProcess;
  /** What was printed so far. */
  seen(): readonly StreamRecord[];
}

function watch(
  port: number,
  server: Server,
  flags: readonly string[],
  config = "",
  interval = "0.5",
): Watching {
  writeFileSync(join(server.files, "known"), server.knownHostsLine().replace(`:${server.port}`, `:${port}`));
  writeFileSync(join(server.files, "config"), `${config}\nHost *\n  IdentityAgent none\n`, { mode: 0o600 });
  let text = "";
  const started: ChildProcess[] = [];
  const ended = runCli(
    [
      ...["--ssh", `${server.user}@127.0.0.1:${port}`, "--format", "ndjson", "--interval", interval],
      ...["--ssh-known-hosts", join(server.files, "known"), "--ssh-key", userKey.file],
      ...["--ssh-config", join(server.files, "config"), "--ssh-fallback", "nvidia-smi", ...flags],
    ],
    {
      limitMs: 60_000,
      started: (child) => {
        started.push(child);
        child.stdout?.on("data", (chunk: string) => (text += chunk));
      },
    },
  );
  const [child] = started;
  assert.ok(child !== undefined);
  return {
    ended,
    process: child,
    seen: () => recordsOf(text.slice(0, text.lastIndexOf("\n") + 1)),
  };
}

/** Every tick from 0 on has exactly one record. */
function assertOneRecordATick(records: readonly StreamRecord[]): void {
  const ticks = records.flatMap(({ tick }) => (tick === null ? [] : [tick])).sort((a, b) => a - b);
  assert.deepEqual(
    ticks,
    ticks.map((_, position) => position),
  );
}

const frames = (records: readonly StreamRecord[]): number =>
  records.filter(({ record }) => record === "frame").length;

const codes = (records: readonly StreamRecord[]): readonly string[] =>
  records.flatMap((each) =>
    each.record === "state" && each.tick === null && each.last_error !== null && each.state !== "connecting"
      ? [each.last_error.code]
      : [],
  );

async function untilSeen(
  run: Watching,
  what: string,
  holds: (seen: readonly StreamRecord[]) => boolean,
): Promise<void> {
  await waitFor(what, () => holds(run.seen()), 30_000);
}

describe("connections that break", { concurrency: 3 }, () => {
  test("sshd is killed in the middle of a tick, and comes back", { skip }, async (t) => {
    const first = await startAgain(t);
    const { port } = first;
    const run = watch(port, first, []);
    await untilSeen(run, "frames", (seen) => frames(seen) >= 3);
    await waitFor("a tool that runs", () => first.processes().some(({ command }) => command === "sleep 0.4"));
    await first.stop();
    await untilSeen(run, "the loss", (seen) => codes(seen).length > 0);
    const second = await startAgain(t, port);
    const before = frames(run.seen());
    await untilSeen(run, "frames again", (seen) => frames(seen) >= before + 3);
    run.process.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    assert.equal(code, 143, stderr);
    const records = run.seen();
    assertOneRecordATick(records);
    assert.equal(codes(records)[0], "connection-lost");
    const lost = records.find((each) => each.record === "state" && each.state === "disconnected");
    assert.ok(lost?.record === "state" && lost.previous_state === "connected" && lost.retry_in_ms !== null);
    const withErrors = records.filter((each) => each.record === "frame" && each.errors !== undefined);
    assert.deepEqual(withErrors, [], "a host that is gone has no frame");
    const back = records.filter((each) => each.record === "frame" && each.tick > (lost.tick ?? 0));
    assert.ok(back.length > 0);
    await waitFor("nothing of ours is left", () => remains(second, /nvidia-smi/).length === 0);
  });

  test("sshd is killed at the last tick: it still has its one record", { skip }, async (t) => {
    const server = await startAgain(t);
    const run = watch(server.port, server, ["--count", "3"], "", "2");
    await untilSeen(run, "the tick before the last", (seen) => seen.some(({ tick }) => tick === 1));
    writeFileSync(server.slow, "");
    await waitFor("the last sample", () => server.processes().some(({ command }) => command === "sleep 3.3"));
    rmSync(server.slow);
    await server.stop();
    const { code, stdout } = await run.ended;
    assert.equal(code, 4);
    const records = recordsOf(stdout);
    assertOneRecordATick(records);
    const last = records.filter(({ tick }) => tick !== null).at(-1);
    assert.equal(last?.tick, 2);
    assert.ok(last.record === "state" && last.last_error?.code === "connection-lost");
  });

  test("a connection that is reset comes back", { skip }, async (t) => {
    const server = await startAgain(t);
    const relay = await startRelay(server.port);
    t.after(() => relay.stop());
    const run = watch(relay.port, server, ["--count", "16"]);
    await untilSeen(run, "frames", (seen) => frames(seen) >= 2);
    relay.reset();
    const { code, stdout } = await run.ended;
    const records = recordsOf(stdout);
    assertOneRecordATick(records);
    assert.deepEqual(codes(records), ["connection-lost"]);
    assert.equal(records.at(-1)?.record, "frame");
    assert.equal(code, 0);
  });

  test(
    "a server that freezes is noticed by keepalives, and reached again when it goes on",
    { skip },
    async (t) => {
      const server = await startAgain(t);
      const config = `Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 2`;
      const run = watch(server.port, server, ["--ssh-timeout-secs", "2"], config);
      await untilSeen(run, "frames", (seen) => frames(seen) >= 2);
      const frozen = server.processes().filter(({ command }) => command.startsWith("sshd"));
      assert.ok(frozen.length > 0);
      for (const { pid } of frozen) signalPid(pid, "SIGSTOP");
      await untilSeen(run, "the loss", (seen) => codes(seen).includes("keepalive-timeout"));
      for (const { pid } of frozen) signalPid(pid, "SIGCONT");
      const before = frames(run.seen());
      await untilSeen(run, "frames again", (seen) => frames(seen) >= before + 2);
      run.process.kill("SIGINT");
      assert.equal((await run.ended).code, 130);
      assertOneRecordATick(run.seen());
    },
  );

  test("our own end by SIGKILL leaves nothing on the host", { skip }, async (t) => {
    const server = await startAgain(t);
    const run = watch(server.port, server, []);
    await untilSeen(run, "frames", (seen) => frames(seen) >= 2);
    run.process.kill("SIGKILL");
    await run.ended;
    await waitFor("nothing of ours is left", () => remains(server, /nvidia-smi|sleep/).length === 0);
  });

  test("only the shell is killed: the next tick has another", { skip }, async (t) => {
    const server = await serve(t);
    const host = await reach(server, { toolTimeoutSecs: 8 });
    const kill = (): void => {
      for (const { pid, command } of server.processes()) {
        if (command.endsWith("sh -s")) signalPid(pid, "SIGKILL");
      }
    };
    kill();
    await waitFor("its end", () => remains(server, /^$/).length === 0);
    assert.deepEqual(gist(await host.sample(1)), { gpus: [37], memory: true, errors: [] });
    assert.equal(host.live.route.channel, "session");
    writeFileSync(server.slow, "");
    const hit = host.sample(2);
    await waitFor("a tool that runs", () =>
      server.processes().some(({ command }) => command === "sleep 3.3"),
    );
    rmSync(server.slow);
    kill();
    const sample = await hit;
    assert.deepEqual(gist(sample).errors, ["gpu error"]);
    assert.equal(gist(sample).memory, true, "what had come stands");
    assert.deepEqual(gist(await host.sample(3)), { gpus: [37], memory: true, errors: [] });
    assert.equal(host.live.route.channel, "session");
    await host.close();
  });

  test("a port that nobody listens on any more, then somebody does", { skip }, async (t) => {
    const port = await closedPort();
    const server = await startAgain(t, port);
    await server.stop();
    const run = watch(port, server, []);
    await untilSeen(run, "a refusal", (seen) => codes(seen).includes("connection-refused"));
    await startAgain(t, port);
    await untilSeen(run, "a frame", (seen) => frames(seen) > 0);
    run.process.kill("SIGTERM");
    await run.ended;
    assertOneRecordATick(run.seen());
  });

  test("sshd is killed while a tool hangs: its guard ends it", { skip }, async (t) => {
    const server = await serve(t);
    const host = await reach(server);
    try {
      await host.sample(1);
      makeTools(server.bin, { "nvidia-smi": `trap "" TERM; sleep 629; sleep 629` });
      const hit = host.sample(2).catch(() => null);
      const tools = (): number => server.processes().filter(({ command }) => command === "sleep 629").length;
      await waitFor("a tool that hangs", () => tools() === 1);
      const shells = remains(server, /629|nvidia-smi|^sleep/);
      for (const { pid, command } of server.processes())
        if (/^sshd: .*@notty/.test(command)) signalPid(pid, "SIGKILL");
      await hit;
      const isLeft = (): boolean => shells.some(({ pid }) => existsSync(`/proc/${pid}`));
      await waitFor("nothing of ours is left", () => !isLeft());
    } finally {
      await host.close();
      await server.stop();
    }
  });

  test("a host that is left between ticks keeps nothing of ours", { skip }, async (t) => {
    const server = await serve(t);
    const host = await reach(server);
    await host.sample(1);
    await waitFor("the guard", () => remains(server, /^sleep/).length === 3);
    await host.close();
    await waitFor("nothing of ours is left", () => remains(server, /^sleep/).length === 0);
  });
});

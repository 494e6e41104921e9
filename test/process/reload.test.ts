/** SIGHUP and the list of hosts: what a run does when its hostfile or inventory has changed. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { waitFor } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("reload");
/** Each test has hosts of its own: the logins there are counted. */
const ADDRESSES = Array.from({ length: 13 }, (_, i) => `127.0.0.${i + 1}`);
let sshd: Sshd;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": FAKE_A100 });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ADDRESSES });
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

const host = (last: number): string => `${sshd.user}@127.0.0.${last}:${sshd.port}`;
const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

/** Runs the program, and `act` beside it; `seen` has what it printed so far. Ends it with SIGTERM. */
async function watch(
  args: readonly string[],
  act: (child: ChildProcess, seen: () => { records: StreamRecord[]; stderr: string }) => Promise<void>,
): Promise<CliRun & { records: StreamRecord[] }> {
  const flags = ["--ssh-config", "none", "--ssh-key", sshd.userKey.file];
  const all = [...flags, "--ssh-known-hosts", sshd.knownHostsFile, "--format", "ndjson", ...args];
  let failure: unknown = null;
  const run = await runCli(all, {
    started: (child) => {
      let [stdout, stderr] = ["", ""];
      child.stdout?.on("data", (text: string) => (stdout += text));
      child.stderr?.on("data", (text: string) => (stderr += text));
      const seen = () => ({ records: recordsOf(stdout.slice(0, stdout.lastIndexOf("\n") + 1)), stderr });
      act(child, seen)
        .catch((error: unknown) => (failure = error))
        .finally(() => child.kill("SIGTERM"));
    },
  });
  if (failure instanceof Error) throw new Error(`${failure.message}\n${run.stderr}`, { cause: failure });
  return { ...run, records: recordsOf(run.stdout) };
}

/** What it printed about the signal. */
const onSighup = ({ stderr }: CliRun): string =>
  lines(...stderr.split("\n").filter((line) => line.includes("SIGHUP")));
const framesOf = (records: readonly StreamRecord[], last: number): StreamRecord[] =>
  records.filter(({ record, hostname }) => record === "frame" && hostname === `127.0.0.${last}`);
const loginsAt = (last: number): number =>
  sshd.log().match(new RegExp(`Connection from .* on 127\\.0\\.0\\.${last} port`, "g"))?.length ?? 0;

describe("SIGHUP with a hostfile", { skip, concurrency: 3 }, () => {
  for (const workers of [0, 2]) {
    test(`one host comes, one goes, and the third keeps its session and ticks (--workers ${workers})`, async () => {
      const [stays, goes, comes] = workers === 0 ? [1, 2, 3] : [4, 5, 6];
      const file = join(temp.path, `hosts-${workers}`);
      writeFileSync(file, lines(`${host(stays)} rack=r1`, host(goes)));
      const args = ["--ssh-hostfile", file, "--interval", "0.5", "--workers", String(workers)];
      const run = await watch(args, async (child, seen) => {
        await waitFor("both hosts", () => {
          const { records } = seen();
          return framesOf(records, stays).length > 1 && framesOf(records, goes).length > 1;
        });
        writeFileSync(file, lines(`${host(stays)} rack=r2`, host(comes)));
        child.kill("SIGHUP");
        await waitFor("the new host", () => framesOf(seen().records, comes).length > 1);
      });
      assert.equal(run.code, 143);
      assert.equal(
        onSighup(run),
        "allsmi-ssh: SIGHUP: the hosts were read again: 1 added, 1 removed, 1 with other labels; 2 are watched\n",
      );
      const own = (last: number) => run.records.filter(({ hostname }) => hostname === `127.0.0.${last}`);

      assert.equal(loginsAt(stays), 1, sshd.log());
      const ticks = own(stays).flatMap(({ tick }) => (tick === null ? [] : [tick]));
      assert.deepEqual(ticks, [...ticks.keys()], "no tick is lost or there twice");
      const transitions = own(stays).filter(({ tick }) => tick === null);
      assert.deepEqual(
        transitions.map(({ state }) => state),
        ["connecting", "connected"],
      );
      const racks = own(stays).map(({ labels }) => labels["rack"]);
      assert.deepEqual([...new Set(racks)], ["r1", "r2"]);

      const last = own(goes).at(-1);
      assert.ok(last?.record === "state");
      assert.equal(last.tick, null);
      assert.equal(last.state, "disconnected");
      assert.equal(last.previous_state, "connected");
      assert.equal(last.last_error?.code, "removed");
      assert.equal(last.retry_in_ms, null);

      const [first, ...more] = own(comes);
      assert.equal(first?.state, "connecting");
      assert.deepEqual(first.tick, null);
      const comingTicks = more.flatMap(({ tick }) => (tick === null ? [] : [tick]));
      const [begin = 0] = comingTicks;
      assert.ok(begin > 0, "the ticks of all hosts are the same");
      assert.deepEqual(
        comingTicks,
        comingTicks.map((_, place) => begin + place),
      );
    });
  }

  test("a wrong file is reported with its line, and the hosts stay as they were", async () => {
    const file = join(temp.path, "wrong");
    writeFileSync(file, lines(host(7)));
    const run = await watch(["--ssh-hostfile", file, "--interval", "0.3"], async (child, seen) => {
      await waitFor("a frame", () => framesOf(seen().records, 7).length > 0);
      writeFileSync(file, lines(host(10), `${host(7)} rack`));
      child.kill("SIGHUP");
      await waitFor("the message", () => seen().stderr.includes("stay as they were"));
      const before = framesOf(seen().records, 7).length;
      await waitFor("more frames", () => framesOf(seen().records, 7).length > before + 1);
    });
    assert.equal(
      onSighup(run),
      lines(
        `allsmi-ssh: SIGHUP: ${file}:2: "rack" after the target is not a label; write key=value, or # before a comment`,
        "allsmi-ssh: SIGHUP: the hosts stay as they were",
      ),
    );
    assert.deepEqual([...new Set(run.records.map(({ hostname }) => hostname))], ["127.0.0.7"]);
    assert.equal(loginsAt(7), 1);
  });

  test("a removed host counts no longer, in the exit code neither; --select and --output hold on", async () => {
    const [file, output] = [join(temp.path, "selected"), join(temp.path, "out.ndjson")];
    // Nobody listens on this address: a host that fails until it is removed.
    const bad = "watcher@127.0.0.99:1 role=gpu";
    writeFileSync(file, lines(`${host(9)} role=gpu`, bad));
    const args = ["--ssh-hostfile", file, "--select", "role=gpu", "--interval", "0.5", "--count", "6"];
    const run = await watch([...args, "--output", output, "--verbose"], async (child, seen) => {
      await waitFor("both hosts", () => /127\.0\.0\.99: connection-refused/.test(seen().stderr));
      writeFileSync(file, lines(`${host(9)} role=gpu`, `${host(10)} role=login`));
      child.kill("SIGHUP");
      await waitFor("the end", () => child.exitCode !== null);
    });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /SIGHUP: reopened --output/);
    assert.match(run.stderr, /0 added, 1 removed, 0 with other labels; 1 are watched/);
    assert.equal(loginsAt(10), 0, "it is not selected");
  });

  test("an inventory is read again, too, and other tool paths are taken up by a new connection", async () => {
    const inventory = join(temp.path, "inventory.ini");
    const fake = join(temp.path, "bin", "nvidia-smi");
    const group = (...hosts: readonly string[]): string => lines("[gpu]", ...hosts);
    const entry = (last: number, more: string) =>
      `127.0.0.${last} ansible_user=${sshd.user} ansible_port=${sshd.port}${more}`;
    writeFileSync(inventory, group(entry(11, "")));
    const args = ["--ssh-from", `ansible:${inventory}`, "--interval", "0.4"];
    const run = await watch(args, async (child, seen) => {
      await waitFor("a frame", () => framesOf(seen().records, 11).length > 0);
      writeFileSync(inventory, group(entry(11, ""), entry(12, "")));
      child.kill("SIGHUP");
      await waitFor("the second host", () => framesOf(seen().records, 12).length > 0);
    });
    assert.match(run.stderr, /1 added, 0 removed, 0 with other labels; 2 are watched/);
    assert.equal(loginsAt(11), 1);

    const file = join(temp.path, "tools");
    writeFileSync(file, lines(host(12)));
    const again = await watch(["--ssh-hostfile", file, "--interval", "0.4"], async (child, seen) => {
      await waitFor("a frame", () => framesOf(seen().records, 12).length > 0);
      writeFileSync(file, lines(`${host(12)} tool.nvidia-smi=${fake}`));
      child.kill("SIGHUP");
      const isAgain = ({ record, labels }: StreamRecord) =>
        record === "frame" && labels["tool.nvidia-smi"] === fake;
      await waitFor("the new path", () => seen().records.some(isAgain));
    });
    assert.match(again.stderr, /1 added, 1 removed/);
    const states = again.records.filter(({ tick }) => tick === null).map(({ state }) => state);
    assert.deepEqual(states, ["connecting", "connected", "disconnected", "connecting", "connected"]);
    assert.equal(loginsAt(12), 3);
  });

  test("hosts of the command line alone are not read again: it ends with 129", async () => {
    const run = await watch(["--ssh", host(13), "--interval", "0.3"], async (child, seen) => {
      await waitFor("a frame", () => framesOf(seen().records, 13).length > 0);
      child.kill("SIGHUP");
      await waitFor("the end", () => child.exitCode !== null);
    });
    assert.equal(run.code, 129, run.stderr);
  });
});

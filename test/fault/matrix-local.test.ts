/**
 * The fault matrix, more cases of runs: what standard output is, what this machine runs out of, and programs of ours that
 * hang or are not there.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { after, before, describe } from "node:test";
import { PROGRAM, recordsOf, runCli } from "../support/cli.js";
import { makeTools } from "../support/fake-tools.js";
import { missingNamespace, startHangingDns } from "../support/hanging-dns.js";
import { descendantsOf, signalPid, waitFor } from "../support/processes.js";
import { canIsolate } from "../support/remote-machine.js";
import {
  assertAllTicks,
  ended,
  firstFrame,
  flags,
  ownFile,
  runCase,
  skip,
  sleep,
  startHealthy,
  stopHealthy,
  wholeLines,
} from "./matrix/run-case.js";
import { WatchedRun } from "./matrix/watched-run.js";

before(() => startHealthy());
after(() => stopHealthy());

const isRoot = process.getuid?.() === 0;
const isolated = skip === false && canIsolate() ? false : "SKIPPED LOUDLY: no right to mount";
const PATH = process.env["PATH"] ?? "";
const LIMIT_MS = 20_000;

/** Stopped while it connects: nothing has come by then, all of it has afterwards. */
const SLOW_WAY = "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; sleep 2.5; cat <&3 & cat >&3; kill $!'";

/** Ours of a run that has ended: whatever has the mark in its command line. */
const left = (mark: string): number =>
  descendantsOf(1).filter(({ command }) => command.includes(mark) && !command.includes("start.cjs")).length;

describe("faults of what a run has on its own machine", { concurrency: 4 }, () => {
  for (const redirection of [">", ">>"]) {
    runCase(
      `a full disk under standard output (${redirection} file), and space later`,
      "whole lines; the watch goes on",
      async () => {
        const disk = ownFile("disk");
        mkdirSync(disk);
        const out = join(disk, "out");
        const script = `mount -t tmpfs -o size=64k tmpfs "$1" && shift && exec "$@" ${redirection}${out}`;
        const args = [...flags(), "--interval", "0.1", "--include", "gpu,cpu,memory"];
        const run = new WatchedRun(args, { within: ["unshare", "-m", "sh", "-c", script, "sh", disk] });
        let stderr = "";
        run.child.stderr?.on("data", (text: string) => (stderr += text));
        const beganMs = performance.now();
        await waitFor("a full disk", () => /lines are dropped until there is space/.test(stderr), LIMIT_MS);
        const inside = `/proc/${run.child.pid}/root${out}`;
        const full = await wholeLines(inside);
        const grownMs = performance.now();
        const grow = ["mount", "-o", "remount,size=8m", disk];
        execFileSync("nsenter", ["-t", String(run.child.pid), "-m", ...grow]);
        await waitFor(
          "space",
          () => /space for the output again; \d+ lines? (was|were) dropped/.test(stderr),
          LIMIT_MS,
        );
        const recoveredSecs = (performance.now() - grownMs) / 1000;
        await sleep(500);
        const text = readFileSync(inside, "utf8");
        assert.ok(text.length > full.length && text.startsWith(full));
        assert.doesNotMatch(text, /\0/);
        assert.ok(recordsOf(text.slice(0, text.lastIndexOf("\n") + 1)).length > 10);
        const { code } = await ended(run);
        assert.equal(code, 143);
        return { noticedSecs: (grownMs - beganMs) / 1000, recoveredSecs };
      },
      isolated,
    );
  }

  runCase(
    "a full disk under standard output to the last of some ticks",
    "exit 1, the loss is reported",
    async () => {
      const disk = ownFile("disk");
      mkdirSync(disk);
      const script = `mount -t tmpfs -o size=4k tmpfs "$1" && shift && exec "$@" >${join(disk, "out")}`;
      const args = [...flags(), "--count", "10", "--interval", "0.5", "--include", "gpu,cpu,memory"];
      const run = await runCli(args, { within: ["unshare", "-m", "sh", "-c", script, "sh", disk] });
      assert.equal(run.code, 1, run.stderr);
      assert.match(run.stderr, /no space for the output until the end; \d+ lines were dropped/);
      return undefined;
    },
    isolated,
  );

  runCase("a reader that takes 100 bytes (| head -c 100)", "exit 0", async () => {
    const args = [...flags(), "--interval", "0.2"];
    const script = '("$@"; echo "exit $?" >&2) | head -c 100';
    const run = await runCli(args, { within: ["sh", "-c", script, "sh"], isChecked: false });
    assert.equal(Buffer.byteLength(run.stdout), 100);
    assert.equal(run.stderr, "exit 0\n");
    return undefined;
  });

  runCase("a pipe that is closed while a line is half through it", "exit 0 soon", async () => {
    // A pipe holds 64 KiB: the line that does not fit in waits when its reader goes.
    const args = [process.execPath, PROGRAM, ...flags(), "--interval", "0.1", "--include", "gpu,cpu,memory"];
    const [program = "", ...rest] = args;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env: { PATH } });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = new Promise((resolve) => child.once("exit", resolve));
    await waitFor("bytes in the pipe", () => child.stdout.readableLength > 0, LIMIT_MS);
    await sleep(6000);
    const atMs = performance.now();
    child.stdout.destroy();
    assert.equal(await code, 0, stderr);
    assert.doesNotMatch(stderr, /cannot write|internal error/);
    return { noticedSecs: (performance.now() - atMs) / 1000 };
  });

  runCase("the system's ssh is not on PATH", "protocol-error that names what to install", async () => {
    const run = await runCli([...flags(), "--once", "--ssh-client", "openssh"], {
      env: { PATH: "/var/empty" },
    });
    assert.equal(run.code, 4, run.stderr);
    for (const record of recordsOf(run.stdout)) {
      assert.ok(record.record === "state" && record.last_error?.code === "protocol-error");
      assert.match(record.last_error.fix ?? "", /openssh-client/);
    }
    return undefined;
  });

  for (const how of ["after --once", "at SIGTERM"]) {
    runCase(`an ssh that ignores TERM, ${how}`, "nothing is left on this machine", async () => {
      const mark = ownFile("bin");
      const script = `trap "" TERM\n/usr/bin/ssh "$@"\nwhile :; do sleep 0.1; done # ${mark}`;
      const bin = makeTools(mark, { ssh: script });
      const env = { PATH: `${bin}${delimiter}${PATH}` };
      const args = [...flags(), "--ssh-client", "openssh"];
      let tookMs: number | undefined;
      if (how === "after --once") assert.equal((await runCli([...args, "--once"], { env })).code, 0);
      else {
        const run = new WatchedRun([...args, "--interval", "0.5"], { env });
        await firstFrame(run);
        assert.ok(left(bin) > 0);
        const atMs = performance.now();
        assert.equal((await ended(run)).code, 143);
        tookMs = performance.now() - atMs;
        assert.ok(tookMs < 3000, `${tookMs} ms`);
      }
      assert.equal(left(bin), 0);
      return tookMs === undefined ? undefined : { noticedSecs: tookMs / 1000 };
    });
  }

  runCase(
    "this process is stopped for 15 s (SIGSTOP) while it connects, with --once",
    "both are read",
    async () => {
      const run = new WatchedRun([...flags([SLOW_WAY]), "--once"]);
      await sleep(1000);
      run.child.kill("SIGSTOP");
      await sleep(15_000);
      const atMs = performance.now();
      run.child.kill("SIGCONT");
      const { code, stderr } = await run.ended;
      assert.equal(code, 0, stderr);
      return { recoveredSecs: (performance.now() - atMs) / 1000 };
    },
  );

  const faketime = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
  ].find((file) => existsSync(file));
  runCase(
    "both clocks jump forwards by an hour (a sleep that the monotonic clock counts)",
    "the ticks are named as skipped",
    async () => {
      const offset = ownFile("offset");
      writeFileSync(offset, "+0");
      const run = new WatchedRun([...flags(), "--interval", "1"], {
        env: { LD_PRELOAD: faketime ?? "", FAKETIME_TIMESTAMP_FILE: offset, FAKETIME_NO_CACHE: "1" },
      });
      await firstFrame(run);
      const atMs = performance.now();
      writeFileSync(offset, "+1h");
      for (const host of ["healthy-1", "healthy-2"])
        await run.first(
          "a frame",
          host,
          atMs,
          ({ record, tick }) => record === "frame" && tick > 3000,
          20_000,
        );
      const recoveredSecs = (performance.now() - atMs) / 1000;
      assert.equal((await ended(run)).code, 143);
      assertAllTicks(run);
      return { recoveredSecs };
    },
    skip === false && faketime === undefined ? "libfaketime is not installed" : skip,
  );

  runCase("a heap that is too small for the fleet", "named as our memory, no host blamed", async () => {
    const hosts = Array.from({ length: 8000 }, (_, index) => `h${index}.invalid`);
    const file = ownFile("hosts");
    writeFileSync(file, hosts.join("\n"));
    const args = ["--ssh-hostfile", file, "--ssh-config", "none", "--format", "ndjson"];
    for (const [workers, heap, message] of [
      ["0", 20, /JavaScript heap out of memory/],
      ["1", 50, /^allsmi-ssh: this process is out of memory: .*--max-old-space-size/m],
    ] as const) {
      const run = await runCli([...args, "--workers", workers], {
        env: { NODE_OPTIONS: `--max-old-space-size=${heap}` },
      });
      assert.match(run.stderr, message);
      assert.doesNotMatch(run.stderr, /report it/);
      // A host that is being connected to has no error yet.
      const codes = recordsOf(run.stdout).flatMap((each) =>
        each.record === "state" && each.last_error !== null ? [each.last_error.code] : [],
      );
      assert.deepEqual(
        codes.filter((code) => code !== "dns-not-found"),
        [],
      );
    }
    return undefined;
  });

  // Users of Debian's base system that run nothing: the limit counts all processes of a user.
  for (const [user, processes, what] of [
    ["2", 12, "no process can be started"],
    ["3", 16, "the started programs can start none, and no thread"],
  ] as const) {
    runCase(
      `${processes} processes for our user: ${what}`,
      "local-limit, and what needs none is as ever",
      async () => {
        const file = ownFile("config");
        const port = "HostName 127.0.0.1\nPort 1\n";
        writeFileSync(
          file,
          `Host proxied\nProxyCommand sh -c 'sleep 5; true'\nHost straight\n${port}Host *\nUser x\n`,
        );
        const hosts = "proxied,straight,localhost:1";
        const args = ["--ssh", hosts, "--ssh-config", file, "--once", "--format", "ndjson"];
        const script = `ulimit -u ${processes} && cd / && exec "$@"`;
        const become = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"];
        const within = [...become, "bash", "-c", script, "bash"];
        const run = await runCli(args, { within });
        const codes = recordsOf(run.stdout).map((each) => [
          each.hostname,
          each.record === "state" ? each.last_error?.code : undefined,
        ]);
        assert.deepEqual(
          codes.sort(),
          [
            ["localhost", "connection-refused"],
            ["proxied", "local-limit"],
            ["straight", "connection-refused"],
          ],
          run.stderr,
        );
        return undefined;
      },
      isRoot ? skip : "SKIPPED LOUDLY: needs root to become another user",
    );
  }

  for (const mode of [["--once"], ["--interval", "0.5"]]) {
    runCase(
      `an agent, a name server and a KnownHostsCommand that hang, and SIGTERM (${mode[0]})`,
      "ends within 3 s, nothing is left",
      async () => {
        const agent = ownFile("agent");
        const server = createServer((socket) => {
          socket.on("error", () => undefined);
        });
        await new Promise<void>((resolve) => server.listen(agent, resolve));
        const dns = await startHangingDns();
        const mark = ownFile("hangs");
        writeFileSync(mark, 'trap "" TERM\nwhile :; do sleep 0.1; done\n');
        const hosts = ["asks", "commands", "named", "healthy-1"];
        const args = flags([], hosts);
        const config = args[args.indexOf("--ssh-config") + 1] ?? "";
        const lines = [
          ...["Host asks", `IdentityAgent ${agent}`, "IdentitiesOnly no"],
          ...["Host commands", `KnownHostsCommand /bin/sh ${mark}`],
          ...["Host named", "HostName never.example"],
        ];
        writeFileSync(config, `${lines.join("\n")}\n${readFileSync(config, "utf8")}`);
        try {
          const run = new WatchedRun([...args, ...mode, "--ssh-timeout-secs", "600"], { within: dns.within });
          await firstFrame(run);
          await waitFor("the command", () => left(mark) > 0, LIMIT_MS);
          const atMs = performance.now();
          const { code, stderr } = await ended(run);
          const tookMs = performance.now() - atMs;
          assert.equal(code, 143, stderr);
          assert.ok(tookMs < 3000, `${tookMs} ms`);
          await waitFor("the end of the command", () => left(mark) === 0, 2000);
          return { noticedSecs: tookMs / 1000 };
        } finally {
          dns.stop();
          server.close();
          for (const { pid, command } of descendantsOf(1))
            if (command.includes(mark)) signalPid(pid, "SIGKILL");
        }
      },
      skip === false && missingNamespace !== null ? missingNamespace : skip,
    );
  }
});

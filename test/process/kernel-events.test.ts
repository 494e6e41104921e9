/** `--include event` and `--health` with real servers: what the records, the messages and the exit code are. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FrameRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { FAKE_A100 } from "../support/fake-tools.js";
import { missing, sshArgs, startSshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";
import { SH, watchHost, type Watched } from "../support/watched-host.js";

const skip = missing ?? false;
const CURSOR = `-- cursor: s=${"0".repeat(32)};i=1;b=${"0".repeat(32)};m=1;t=1;x=1`;
/** An hour ago, so that its events still stand. */
const AT = Math.floor(Date.now() / 1000) - 3600;
const XID = "NVRM: Xid (PCI:0000:18:00): 79, pid=1, GPU has fallen off the bus.";
const JOURNAL = [
  `echo "${AT}.000001 gpu kernel: Linux version 6.8.0"`,
  `echo "${AT + 1}.000001 gpu kernel: ${XID}"`,
  `echo "${CURSOR}"`,
].join("\n");
const DENIED = {
  journalctl: `echo "Hint: You are currently not seeing messages from other users and the system." >&2; echo "-- No entries --"`,
  dmesg: `echo "dmesg: read kernel buffer failed: Operation not permitted" >&2; exit 1`,
};

const watch = (
  tools: Readonly<Record<string, string>>,
  args: readonly string[],
  sshd?: SshdOptions,
): Promise<Watched> =>
  watchHost({
    programs: Object.fromEntries(
      Object.entries({ "nvidia-smi": FAKE_A100, ...tools }).map(([name, body]) => [name, `${SH}${body}`]),
    ),
    args,
    ...(sshd === undefined ? {} : { sshd: () => sshd }),
  });
const codes = (frame: FrameRecord | undefined): readonly (string | number)[] | null =>
  frame?.events?.map(({ kind, code }) => code ?? kind) ?? null;

test("one reading has the events of the boot, and health judges them", { skip }, async () => {
  const { code, frames, stderr } = await watch({ journalctl: JOURNAL }, [
    "--once",
    "--include",
    "gpu,event",
    "--health",
  ]);
  assert.equal(code, 4, stderr);
  assert.deepEqual(codes(frames[0]), ["boot", 79]);
  assert.equal(frames[0]?.events?.[1]?.hostname, "127.0.0.1");
  const [finding] = frames[0].health?.findings ?? [];
  assert.deepEqual(
    [finding?.rule, finding?.severity, finding?.device, finding?.message],
    ["event-xid", "critical", "pci 0000:18:00", XID],
  );
  assert.equal(frames[0].health?.status, "critical");
});

test(
  "an event is in one frame, its finding in those that follow, and other frames show nothing of the log",
  { skip },
  async () => {
    const { frames } = await watch({ journalctl: JOURNAL }, ["--count", "3", "--interval", "3", "--health"]);
    const seen = frames.map(codes).filter((each) => each !== null);
    assert.deepEqual(seen, [["boot", 79]]);
    assert.equal(frames.length, 3);
    const standing = frames.map(
      ({ health }) => health?.findings.find(({ rule }) => rule === "event-xid")?.since,
    );
    assert.equal(new Set(standing.filter((since) => since !== undefined)).size, 1);
    assert.equal(standing.at(-1), new Date((AT + 1) * 1000).toISOString());
  },
);

test("a fleet without --include event and --health reads no log", { skip }, async () => {
  const { frames } = await watch({ journalctl: `${JOURNAL}; echo x >>"$HOME/asked"` }, ["--once"]);
  assert.equal(codes(frames[0]), null);
  assert.equal(frames[0]?.errors, undefined);
});

describe("an account that may not read the log", { skip }, () => {
  const gpuOnly = ["--interval", "3", "--count", "3"];
  test("asked by name: one error, never an empty list, and an exit code for it", async () => {
    const once = await watch(DENIED, ["--once", "--include", "gpu,event"]);
    assert.equal(once.code, 4);
    assert.equal(codes(once.frames[0]), null);
    assert.match(once.frames[0]?.errors?.[0]?.message ?? "", /not permitted.*systemd-journal or adm/);
    assert.equal(once.frames[0]?.gpus?.length, 1);
    const many = await watch(DENIED, [...gpuOnly, "--include", "gpu,event"]);
    assert.equal(many.frames.filter(({ errors }) => errors !== undefined).length, 1);
    assert.deepEqual(many.frames.map(codes), [null, null, null]);
  });
  test("with --health alone: an unknown finding in each frame, no error, and exit code 0", async () => {
    const { code, frames, stderr } = await watch(DENIED, [...gpuOnly, "--health"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      frames.map(({ errors }) => errors),
      [undefined, undefined, undefined],
    );
    for (const { health } of frames) {
      const finding = health?.findings.find(({ rule }) => rule === "events-unread");
      assert.deepEqual([finding?.severity, finding?.since], ["unknown", frames[0]?.timestamp]);
    }
  });
});

test(
  "where only one channel may be open, the rest is read, and the error names the limit",
  { skip },
  async () => {
    const { frames } = await watch(
      { journalctl: JOURNAL },
      ["--count", "2", "--interval", "3", "--include", "gpu,event"],
      { config: ["MaxSessions 1"] },
    );
    assert.equal(frames.length, 2);
    assert.ok(frames.every(({ gpus }) => gpus?.length === 1));
    assert.ok(frames.every((frame) => codes(frame) === null));
    assert.match(
      frames[0]?.errors?.find(({ section }) => section === "event")?.message ?? "",
      /the kernel log was not read/,
    );
  },
);

test("a host whose shell does not stay is looked at too", { skip }, async () => {
  // A forced command that runs each command without standard input.
  const { frames } = await watch(
    { journalctl: JOURNAL },
    ["--count", "2", "--interval", "3", "--include", "gpu,event"],
    { config: [`ForceCommand /bin/sh -c "$SSH_ORIGINAL_COMMAND" </dev/null`] },
  );
  assert.deepEqual(
    frames.map(codes).find((each) => each !== null),
    ["boot", 79],
  );
  assert.equal(frames[1]?.channel, "exec");
});

test(
  "10,000 lines a second on one host: a bounded answer, and the other host is read on time",
  { skip },
  async () => {
    const temp = makeTempDir("flood");
    const servers = [];
    try {
      // What the journal of a flooded host has since a look 30 s ago, as fast as it can print it.
      const flood = `echo "${AT}.000001 gpu kernel: Linux version 6.8.0"
      awk "BEGIN { for (i = 0; i < 300000; i++) print \\"${AT}.500000 gpu kernel: NVRM: Xid (PCI:0000:18:00): 13, pid=\\" i \\", name=python, Graphics SM Warp Exception\\" }"
      echo "${CURSOR}"`;
      for (const [name, journalctl] of Object.entries({ flooded: flood, quiet: JOURNAL })) {
        const bin = join(temp.path, name);
        mkdirSync(bin);
        for (const [file, body] of Object.entries({ "nvidia-smi": FAKE_A100, journalctl })) {
          writeFileSync(join(bin, file), `${SH}${body}\n`);
          chmodSync(join(bin, file), 0o755);
        }
        servers.push(await startSshd({ bin, shell: "/bin/sh" }));
      }
      const [flooded, quiet] = servers;
      assert.ok(flooded !== undefined && quiet !== undefined);
      const known = join(temp.path, "known_hosts");
      writeFileSync(known, flooded.knownHostsLine() + quiet.knownHostsLine());
      const args = servers.flatMap((server) => {
        const [, target = ""] = sshArgs(server);
        return ["--ssh", target, "--ssh-key", server.userKey.file];
      });
      const run = await runCli([
        ...args,
        ...["--ssh-config", "none", "--ssh-known-hosts", known, "--format", "ndjson"],
        ...["--count", "8", "--interval", "2", "--include", "gpu,event"],
      ]);
      const records = recordsOf(run.stdout);
      const framesOf = (port: number): readonly FrameRecord[] =>
        records
          .filter((record) => record.record === "frame")
          .filter(({ host_id: id }) => id.endsWith(`:${port}`));
      for (const { port } of servers) {
        const frames = framesOf(port);
        const from = frames[0]?.tick ?? 8;
        assert.ok(from <= 1, run.stderr);
        assert.deepEqual(
          frames.map(({ tick, gpus }) => [tick, gpus?.length]),
          Array.from({ length: 8 - from }, (_, at) => [from + at, 1]),
        );
      }
      const answers = framesOf(flooded.port).flatMap(({ events, errors }) => [
        ...(events ?? []),
        ...(errors ?? []),
      ]);
      // The notice and the newest; where this machine is too slow for the flood, the deadline.
      assert.ok(answers.length >= 1 && answers.length <= 201, String(answers.length));
      const [first, last] = [answers[0], answers.at(-1)];
      if (first?.kind === "timeout") assert.match(first.message, /no answer in time/);
      else {
        assert.equal(first?.kind, "left-out");
        assert.match(last?.message ?? "", /pid=299999,/);
      }
      const bytes = Math.max(...run.stdout.split("\n").map((line) => line.length));
      assert.ok(bytes < 200_000, `${bytes} bytes in a line`);
    } finally {
      for (const server of servers) await server.stop();
      temp.remove();
    }
  },
);

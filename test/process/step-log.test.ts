/** The step log on standard error: by area, with times, from every thread, and without key material. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runCli, type CliRun } from "../support/cli.js";
import { makeTools } from "../support/fake-tools.js";
import { withoutHostLines } from "../support/host-lines.js";
import { makeKey } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("step-log");
let sshd: Sshd;
let known = "";

before(async () => {
  if (skip !== false) return;
  const slow = join(temp.path, "slow");
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": `case $1 in
--query-gpu=*) if test -e '${slow}'; then echo >>'${slow}'; test $(wc -l <'${slow}') -gt 2 && sleep 20; fi; printf 'index, uuid, name, utilization.gpu\\n0, GPU-1, A100, 5\\n';;
--help-query-gpu) printf '"index" "uuid" "name" "utilization.gpu"\\n';; esac`,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh", addresses: ["127.0.0.1", "127.0.0.2"] });
  known = join(temp.path, "known_hosts");
  writeFileSync(known, ["127.0.0.1", "127.0.0.2"].map((address) => sshd.knownHostsLine(address)).join(""));
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

interface Watched {
  /** The value of ALLSMI_SSH_DEBUG. */
  readonly areas?: string;
  readonly key?: string;
  readonly config?: string;
  readonly hosts?: readonly string[];
}

function watch(
  { areas, key = sshd.userKey.file, config = "none", hosts }: Watched,
  ...args: readonly string[]
): Promise<CliRun> {
  const targets = (hosts ?? [`${sshd.user}@127.0.0.1:${sshd.port}`]).join(",");
  const ssh = ["--ssh-config", config, "--ssh-key", key, "--ssh-known-hosts", known];
  const all = ["--ssh", targets, ...ssh, "--format", "ndjson", "--include", "gpu,cpu", ...args];
  return runCli(all, { env: areas === undefined ? {} : { ALLSMI_SSH_DEBUG: areas } });
}

/** The steps of one area in order; every line of the log must be a step. */
function stepsOf({ stderr }: CliRun, area: string): readonly string[] {
  return withoutHostLines(stderr)
    .trimEnd()
    .split("\n")
    .flatMap((line) => {
      const match = /^allsmi-ssh: \S+@\S+:\d+ \+\d+\.\d{3}s (ssh|remote): (.+)$/.exec(line);
      assert.ok(match !== null, line);
      return match[1] === area ? [match[2] ?? ""] : [];
    });
}

function assertOrder(steps: readonly string[], expected: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of expected) {
    const index = steps.findIndex((step, at) => at >= from && pattern.test(step));
    assert.ok(index >= 0, `${String(pattern)} in\n${steps.slice(from).join("\n")}`);
    from = index + 1;
  }
}

const REMOTE_STEPS = [
  /^bootstrap sent: \d+ bytes, tools to look for: .*nvidia-smi/,
  /^bootstrap answered in [\d.]+ ms: \d+ parts, \d+ bytes$/,
  /^tools: nvidia-smi; system linux; timeouts by \w+; transport nvidia-smi, channel session$/,
  /^first reading taken over ssh2$/,
  /^tick 1 asked \(channel session\)$/,
  /^tick 1 answered in [\d.]+ ms: \d+ parts, \d+ bytes$/,
];
const SSH_STEPS = [
  /^connecting to 127\.0\.0\.\d port \d+$/,
  /^connected to 127\.0\.0\.\d in \d+ ms$/,
  /^server identification: SSH-2\.0-OpenSSH/,
  /^host key accepted: ssh-ed25519 SHA256:/,
  /^key exchange done: /,
  /^authentication request: publickey ssh-ed25519 SHA256:/,
  /^authenticated as \S+ by ssh-ed25519 SHA256:/,
  /^channel opened/,
  /^disconnected: /,
];
const REFUSED_STEPS = [
  /^authentication request: publickey ssh-ed25519 SHA256:/,
  /^authentication refused; methods that can continue: publickey$/,
  /^failed in auth: auth-failed: /,
];
/** The first tick is long enough to connect in it, on a busy machine too: the second one is asked. */
const TWO_TICKS = ["--count", "2", "--interval", "6"];

describe("the step log", { skip, concurrency: 3 }, () => {
  test("is off by default", async () => {
    const run = await watch({}, ...TWO_TICKS);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(withoutHostLines(run.stderr), "");
  });

  test("has the steps of one area only", async () => {
    const run = await watch({ areas: "remote" }, ...TWO_TICKS);
    assert.equal(run.code, 0, run.stderr);
    assertOrder(stepsOf(run, "remote"), REMOTE_STEPS);
    assert.deepEqual(stepsOf(run, "ssh"), []);
    const other = await watch({ areas: "ssh" }, ...TWO_TICKS);
    assertOrder(stepsOf(other, "ssh"), SSH_STEPS);
    assert.deepEqual(stepsOf(other, "remote"), []);
  });

  test("has all areas, from threads too, and does not change the records", async () => {
    const hosts = ["127.0.0.1", "127.0.0.2"].map((address) => `${sshd.user}@${address}:${sshd.port}`);
    const run = await watch({ areas: "ssh,remote", hosts }, ...TWO_TICKS, "--workers", "2");
    assert.equal(run.code, 0, run.stderr);
    for (const host of hosts) {
      const own = {
        ...run,
        stderr: run.stderr
          .split("\n")
          .filter((line) => line.includes(` ${host} `))
          .join("\n"),
      };
      assertOrder(stepsOf(own, "ssh"), SSH_STEPS);
      assertOrder(stepsOf(own, "remote"), REMOTE_STEPS);
    }
    assert.equal(run.stdout.trimEnd().split("\n").length, 8);
  });

  test("has all areas with --verbose --verbose, beside what --verbose logs", async () => {
    const run = await watch({}, "--once", "--verbose", "--verbose");
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, / remote: bootstrap sent: /);
  });

  test("has why a key was refused, and never key material", async () => {
    const other = makeKey(join(temp.path, "other"));
    for (const key of [other, sshd.userKey]) {
      const run = await watch({ areas: "ssh,remote", key: key.file }, "--once");
      assert.equal(run.code, key === other ? 4 : 0, run.stderr);
      if (key === other) assertOrder(stepsOf(run, "ssh"), REFUSED_STEPS);
      const secret = readFileSync(key.file, "utf8")
        .split("\n")
        .filter((line) => line.length > 20 && !line.startsWith("-"));
      assert.ok(secret.length > 0);
      for (const line of secret) assert.ok(!run.stderr.includes(line));
      // A fingerprint has 43 characters; a signature or a key in base64 or hexadecimal has more.
      assert.doesNotMatch(withoutHostLines(run.stderr), /[A-Za-z0-9+/]{60}/);
    }
  });

  test("has a host behind a jump host", async () => {
    const config = join(temp.path, "config");
    const lines = [
      "Host inner",
      "  HostName 127.0.0.2",
      "  ProxyJump gate",
      "Host gate",
      "  HostName 127.0.0.1",
    ];
    const login = [
      "Host *",
      `  User ${sshd.user}`,
      `  Port ${sshd.port}`,
      `  IdentityFile ${sshd.userKey.file}`,
    ];
    const hostKeys = [`  UserKnownHostsFile ${known}`, "  GlobalKnownHostsFile none"];
    writeFileSync(config, `${[...lines, ...login, ...hostKeys].join("\n")}\n`);
    const run = await watch({ areas: "ssh,remote", config, hosts: ["inner"] }, "--once");
    assert.equal(run.code, 0, run.stderr);
    assertOrder(stepsOf(run, "ssh"), [
      /^jump host \S+: authenticated as /,
      /^jump host \S+: connected to 127\.0\.0\.2 port \d+$/,
      /^authenticated as /,
    ]);
    assertOrder(stepsOf(run, "remote"), REMOTE_STEPS.slice(0, 2));
  });

  test("of an unknown area is wrong usage", async () => {
    const run = await watch({ areas: "ssh,tcp" }, "--once");
    assert.equal(run.code, 2);
    assert.match(run.stderr, /^allsmi-ssh: ALLSMI_SSH_DEBUG: "tcp" is not one of ssh, remote\n/);
  });
});

// Not beside the others: it makes the tool of the host hang.
test("the step log has a part that times out, and that it is paused", { skip }, async () => {
  const slow = join(temp.path, "slow");
  writeFileSync(slow, "");
  chmodSync(slow, 0o666);
  const run = await watch({ areas: "remote" }, "--count", "4", "--interval", "4", "--tool-timeout-secs", "2");
  rmSync(slow);
  assertOrder(stepsOf(run, "remote"), [
    /^tick \d answered in [\d.]+ ms: \d+ parts, \d+ bytes$/,
    /^tick \d answered in [\d.]+ ms: .*, timed out: nvidia-smi\.query$/,
    /^part nvidia-smi\.query is paused: timeout$/,
    /^tick \d answered in [\d.]+ ms: \d+ parts, \d+ bytes$/,
  ]);
});

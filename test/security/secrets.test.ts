/**
 * Keys, passphrases, what an agent signs, and the environment's secrets are in nothing that is printed: records, messages,
 * --verbose and the step log, after a run in which every host fails in a way of its own.
 */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startAgent, type Agent } from "../support/agent.js";
import { recordsOf, runCli, type CliRun } from "../support/cli.js";
import { closedPort } from "../support/free-port.js";
import { makeKey, type KeyPair } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const PASSPHRASE = "correct-horse-battery-staple";
const PASSWORD = "hunter2-of-the-environment";
const temp = makeTempDir("secrets");
let sshd: Sshd;
let agent: Agent;
const keys: KeyPair[] = [];
let run: CliRun;

before(async () => {
  if (skip !== false) return;
  [sshd, agent] = await Promise.all([
    startSshd({ addresses: ["127.0.0.1", "127.0.0.2", "127.0.0.3"], shell: "/bin/sh" }),
    startAgent(),
  ]);
  const inAgent = makeKey(join(temp.path, "in-agent"));
  const encrypted = makeKey(join(temp.path, "encrypted"), { passphrase: PASSPHRASE });
  const pem = makeKey(join(temp.path, "pem"), { type: "rsa", format: "PEM" });
  const broken = makeKey(join(temp.path, "broken"));
  keys.push(inAgent, encrypted, pem, broken, sshd.userKey);
  agent.add(inAgent);
  run = await runCli(arguments_(await closedPort(), { encrypted, pem, broken }), {
    env: { SSH_AUTH_SOCK: agent.socket, SSHPASS: PASSWORD, ALLSMI_SSH_DEBUG: "ssh,remote" },
  });
});
after(async () => {
  if (skip === false) await Promise.all([sshd.stop(), agent.stop()]);
  temp.remove();
});

function arguments_(
  closed: number,
  { encrypted, pem, broken }: Readonly<Record<"encrypted" | "pem" | "broken", KeyPair>>,
): readonly string[] {
  // A key file whose end is missing: what is wrong with it is reported without what is in it.
  const whole = readFileSync(broken.file, "utf8");
  writeFileSync(join(temp.path, "torn"), whole.slice(0, whole.length / 2), { mode: 0o600 });
  const open = join(temp.path, "readable-by-all");
  writeFileSync(open, whole);
  chmodSync(open, 0o644);
  const known = join(temp.path, "known");
  // The third host's key is another one than known_hosts has.
  const changed = `[127.0.0.3]:${sshd.port} ${broken.publicLine}\n`;
  const good = ["127.0.0.1", "127.0.0.2"].map((address) => sshd.knownHostsLine(address)).join("");
  writeFileSync(known, good + changed);
  const config = join(temp.path, "config");
  writeFileSync(
    config,
    [
      ...["Host proxied", `  ProxyCommand echo "$SSHPASS" >/dev/null; exit 7`],
      ...["Host *", `  IdentityFile ${join(temp.path, "torn")}`, `  IdentityFile ${open}`, ""],
    ].join("\n"),
  );
  const at = (host: string, port = sshd.port): string => `${sshd.user}@${host}:${port}`;
  const targets = [at("127.0.0.1"), at("127.0.0.2"), at("127.0.0.3"), at("127.0.0.1", closed), "proxied"];
  return [
    ...["--ssh", targets.join(","), "--ssh-config", config, "--ssh-known-hosts", known],
    ...["--ssh-key", encrypted.file, "--ssh-key", pem.file],
    ...["--once", "--format", "ndjson", "--verbose", "--verbose", "--ssh-client", "ssh2"],
  ];
}

/** The private half as it could leak: lines of the file, and its bytes in hexadecimal and base64, without their ends. */
function tracesOf(key: KeyPair): readonly string[] {
  const lines = readFileSync(key.file, "utf8")
    .split("\n")
    .filter((line) => line.length > 20 && !line.startsWith("-"));
  const bytes = Buffer.from(lines.join(""), "base64");
  // The public half is in the first part of OpenSSH's format, and is no secret.
  const secret = bytes.subarray(Math.floor(bytes.length / 2), -16);
  return [...lines.slice(1), secret.toString("hex").slice(0, 40), secret.toString("base64").slice(4, 44)];
}

describe("after a run full of failures", { skip }, () => {
  test("every host has failed, and why it has", () => {
    const codes = recordsOf(run.stdout).map((record) =>
      record.record === "state" ? record.last_error?.code : "frame",
    );
    assert.deepEqual(codes.sort(), [
      "auth-failed",
      "auth-failed",
      "connection-refused",
      "host-key-changed",
      "proxy-failed",
    ]);
    // The log is there, so that what is missing in it means something: it names keys by their fingerprints.
    assert.match(run.stderr, / ssh: .*SHA256:/);
  });
  test("no private key is in what was printed", () => {
    const printed = run.stdout + run.stderr;
    const traces = keys.flatMap(tracesOf);
    assert.ok(traces.length > 20);
    for (const trace of traces) assert.ok(!printed.includes(trace), trace);
  });
  test("no signature and no agent's answer: nothing in base64 or hexadecimal is longer than a fingerprint", () => {
    // Paths are no base64 here: the temporary folder has a hyphen.
    assert.doesNotMatch(run.stdout + run.stderr, /[A-Za-z0-9+/]{60}/);
  });
  test("no passphrase, and no secret of the environment", () => {
    for (const secret of [PASSPHRASE, PASSWORD]) assert.ok(!(run.stdout + run.stderr).includes(secret));
  });
});

test("names that the shell passes reach the terminal without its escapes", async () => {
  const evil = "\u001b]0;forged\u0007\u009b2J";
  const cases: readonly (readonly string[])[] = [
    ["--ssh-hostfile", `no${evil}`, "--once"],
    [`--no${evil}`],
    ["--ssh", `a${evil}`, "--ssh-key", `k${evil}`, "--output", `/no/${evil}`, "--format", `f${evil}`],
    ["--ssh", "a", "--ssh-config", `c${evil}`, "--once"],
    ["--replay", `r${evil}`, "--once"],
  ];
  const runs = await Promise.all(cases.map((args) => runCli(args, { isChecked: false })));
  for (const [index, { code, stderr, stdout }] of runs.entries()) {
    assert.ok(code !== 0 && stderr !== "", JSON.stringify(cases[index]));
    assert.doesNotMatch(stderr + stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

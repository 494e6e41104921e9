/** Verdicts, negotiated key types and written lines beside those of the system's ssh, against a real sshd. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { HostKeyPolicy } from "../../../src/contract/ssh-options.js";
import { hostKeyOf } from "../../../src/ssh/keys/fingerprint.js";
import { plainTypeOf } from "../../../src/ssh/keys/public-key.js";
import { decide } from "../../../src/ssh/known-hosts/decision.js";
import { hashName } from "../../../src/ssh/known-hosts/entry-names.js";
import { preferKnown } from "../../../src/ssh/known-hosts/key-types.js";
import { KnownHostsStore } from "../../../src/ssh/known-hosts/known-hosts.js";
import { hostNames } from "../../../src/ssh/known-hosts/host-key.js";
import { makeKey, type KeyPair } from "../../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";
import { askSsh, missingSsh } from "./real-ssh.js";
import { scenarios, type Scenario, type ServerName } from "./scenarios.js";

const skip = missing ?? missingSsh ?? false;
const temp = makeTempDir("known-hosts-live");
const servers = new Map<ServerName, Sshd>();
const keyTexts = new Map<string, string>();

before(async () => {
  if (skip !== false) return;
  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    keyTexts.set(type, keyText(makeKey(join(temp.path, `server-${type}`), { type })));
    keyTexts.set(`other-${type}`, keyText(makeKey(join(temp.path, `other-${type}`), { type })));
  }
  const serverKey = (type: string): KeyPair => {
    const file = join(temp.path, `server-${type}`);
    return { file, publicLine: readFileSync(`${file}.pub`, "utf8"), fingerprint: "" };
  };
  servers.set("all", await startSshd({ hostKeys: ["ed25519", "ecdsa", "rsa"].map(serverKey) }));
  servers.set("ed25519", await startSshd({ hostKeys: [serverKey("ed25519")] }));
  servers.set("rsa", await startSshd({ hostKeys: [serverKey("rsa")] }));
});

after(async () => {
  for (const server of servers.values()) await server.stop();
  temp.remove();
});

test("verdicts, key types and written lines are those of ssh", { skip }, async (t) => {
  let agreed = 0;
  const stay: string[] = [];
  const disagreements: string[] = [];
  let number = 0;
  for (const scenario of scenarios) {
    for (const policy of scenario.policies ?? (["yes", "accept-new"] as const)) {
      const difference = await compare(scenario, policy, join(temp.path, `case-${++number}`));
      const known = scenario.differs?.[policy];
      if (difference === null) agreed++;
      else if (known !== undefined) stay.push(`${scenario.name} (${policy}): ${difference}. Stays: ${known}`);
      else disagreements.push(`${scenario.name} (${policy}): ${difference}`);
      assert.ok(
        known === undefined || difference !== null,
        `${scenario.name}: listed as a difference and agrees`,
      );
    }
  }
  t.diagnostic(
    `host key checks: ${agreed} agree with ssh, ${disagreements.length} disagree, ${stay.length} stay`,
  );
  for (const line of stay) t.diagnostic(line);
  assert.deepEqual(disagreements, []);
});

/** Null when ssh and we agree, else how we differ. */
async function compare(scenario: Scenario, policy: HostKeyPolicy, dir: string): Promise<string | null> {
  const server = servers.get(scenario.server ?? "all");
  assert.ok(server);
  const theirs = layOut(scenario, server.port, join(dir, "ssh"));
  const mine = layOut(scenario, server.port, join(dir, "own"));
  const answer = await askSsh({
    host: "127.0.0.1",
    port: server.port,
    options: [
      `StrictHostKeyChecking=${policy}`,
      `UserKnownHostsFile=${theirs.userFiles.join(" ") || "none"}`,
      `GlobalKnownHostsFile=${theirs.globalFiles.join(" ") || "none"}`,
      `RevokedHostKeys=${theirs.revokedFiles[0] ?? "none"}`,
      `HashKnownHosts=${scenario.hash === true ? "yes" : "no"}`,
      ...(scenario.alias === undefined ? [] : [`HostKeyAlias=${scenario.alias}`]),
    ],
  });

  const known = new KnownHostsStore().open(mine);
  const hostKeyAlias = scenario.alias ?? null;
  const names = hostNames({
    hostname: "127.0.0.1",
    port: server.port,
    hostKeyAlias,
    checkHostIp: false,
    address: "127.0.0.1",
  });
  const offered = new Set(
    (scenario.server ?? "all") === "all" ? ["ed25519", "ecdsa", "rsa"] : [scenario.server],
  );
  const algorithm = preferKnown(defaultAlgorithms(), known.knownTypes(names)).find((name) =>
    offered.has(shortName(name)),
  );
  if (algorithm !== answer.algorithm)
    return `ssh negotiated ${answer.algorithm ?? "nothing"}, we ${String(algorithm)}`;
  const blob = keyTexts.get(shortName(algorithm))?.split(" ")[1] ?? "";
  const key = hostKeyOf(Buffer.from(blob, "base64"));
  const verdict = known.verdict(names, key);
  const decision = decide(verdict, policy, names, key, known);
  if ((decision.kind !== "refuse") !== answer.accepted) {
    return `ssh ${answer.accepted ? "accepts" : "refuses"}, we ${verdict.kind} and ${decision.kind}`;
  }
  if (verdict.kind !== answer.kind) return `ssh: ${answer.kind}, we: ${verdict.kind}:\n${answer.stderr}`;
  const at = "at" in verdict && answer.at !== null ? `${verdict.at.file}:${String(verdict.at.line)}` : null;
  if (at?.replace(join(dir, "own"), "") !== answer.at?.replace(join(dir, "ssh"), "")) {
    return `ssh names ${String(answer.at)}, we ${String(at)}`;
  }
  if (decision.kind === "remember") {
    const warning = await known.remember(names, key, { hash: scenario.hash === true });
    const failed = answer.stderr.includes("Failed to add the host");
    if ((warning !== null) !== failed)
      return `ssh ${failed ? "failed" : "managed"} to write, we: ${warning ?? "wrote"}`;
  }
  const written = [theirs, mine].map(({ userFiles }) => userFiles.map(readOrNull));
  const [a, b] = written.map((texts) =>
    JSON.stringify(scenario.hash === true ? texts.map(withoutHashes) : texts),
  );
  return a === b ? null : `ssh leaves ${shorten(a)}, we ${shorten(b)}`;
}

function layOut(
  scenario: Scenario,
  port: number,
  dir: string,
): { userFiles: string[]; globalFiles: string[]; revokedFiles: string[] } {
  mkdirSync(dir, { recursive: true });
  const write = (label: string, texts: readonly (string | null)[]): string[] =>
    texts.map((text, index) => {
      const file = join(dir, `${label}${index}`);
      if (text !== null) writeFileSync(file, fill(text, port), { mode: 0o600 });
      return file;
    });
  const userFiles = write("user", scenario.user);
  if (scenario.userFile !== undefined) userFiles[0] = join(dir, scenario.userFile);
  if (userFiles[0] !== undefined) scenario.arrange?.(userFiles[0]);
  return {
    userFiles,
    globalFiles: write("global", scenario.global ?? []),
    revokedFiles: write("revoked", scenario.revoked === undefined ? [] : [scenario.revoked]),
  };
}

/** `{name}`, `{ported}`, `{hash ...}` and key names become what they stand for. */
function fill(text: string, port: number): string {
  return text
    .replaceAll("{name}", "127.0.0.1")
    .replaceAll("{ported}", `[127.0.0.1]:${port}`)
    .replace(/\{hash ([^{}]+)\}/g, (_all, name: string) => hashName(name, Buffer.alloc(20, name)))
    .replace(/\{([a-z0-9-]+)\}/g, (all, name: string) => keyTexts.get(name) ?? all);
}

function keyText({ publicLine }: KeyPair): string {
  return publicLine.split(" ").slice(0, 2).join(" ");
}

let algorithms: readonly string[] | null = null;

/** ssh's own list, certificates left out: the servers have none. */
function defaultAlgorithms(): readonly string[] {
  algorithms ??= (
    /^hostkeyalgorithms (.*)$/m.exec(
      execFileSync("ssh", ["-G", "-F", "none", "x"], { encoding: "utf8" }),
    )?.[1] ?? ""
  ).split(",");
  return algorithms;
}

function shortName(algorithm: string): string {
  if (algorithm.includes("-cert-")) return "certificate";
  const type = plainTypeOf(algorithm) ?? "";
  return type === "ssh-rsa" ? "rsa" : type === "ecdsa-sha2-nistp256" ? "ecdsa" : type.replace("ssh-", "");
}

function shorten(text: string | undefined): string {
  return String(text).replace(/AAAA[A-Za-z0-9+/]{20,}=*/g, "AAAA...");
}

function readOrNull(file: string): string | null {
  if (!existsSync(file) || !statSync(file).isFile()) return null;
  return readFileSync(file, "latin1");
}

function withoutHashes(text: string | null): string | null {
  return text?.replace(/\|1\|[^| ]*\|[^ ]*/g, "|1|") ?? null;
}

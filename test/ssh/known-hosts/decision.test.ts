/** The decision on each verdict under each policy, and the messages for the record. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fingerprint } from "../../../src/ssh/keys/fingerprint.js";
import { decide } from "../../../src/ssh/known-hosts/decision.js";
import type { HostKeyVerdict } from "../../../src/ssh/known-hosts/host-key.js";
import { namesOf, testKey } from "./test-keys.js";

const names = namesOf("gpu-1", 2222);
const key = testKey(1);
const at = { file: "/home/a b/known_hosts", line: 7 };
const known = { files: [at.file], canRemember: true, unreadable: () => [] };
const without = { files: [], canRemember: false, unreadable: () => [] };

const verdicts: readonly { verdict: HostKeyVerdict; yes: string; new: string; no: string; none?: string }[] =
  [
    { verdict: { kind: "match", at, addressUnknown: false }, yes: "accept", new: "accept", no: "accept" },
    {
      verdict: { kind: "match", at, addressUnknown: true },
      yes: "remember",
      new: "remember",
      no: "remember",
      none: "accept",
    },
    { verdict: { kind: "unknown" }, yes: "refuse", new: "remember", no: "remember", none: "refuse" },
    {
      verdict: { kind: "changed", at, knownType: "ssh-rsa", address: null },
      yes: "refuse",
      new: "refuse",
      no: "refuse",
    },
    {
      verdict: { kind: "changed", at, knownType: "ssh-rsa", address: "192.0.2.1" },
      yes: "refuse",
      new: "refuse",
      no: "accept",
    },
    { verdict: { kind: "revoked", at }, yes: "refuse", new: "refuse", no: "refuse" },
    {
      verdict: { kind: "revocation-unreadable", at: { file: "/krl", line: null }, reason: "ENOENT" },
      yes: "refuse",
      new: "refuse",
      no: "refuse",
    },
  ];

for (const row of verdicts) {
  test(`${JSON.stringify(row.verdict)} under every policy`, () => {
    assert.equal(decide(row.verdict, "yes", names, key, known).kind, row.yes);
    assert.equal(decide(row.verdict, "accept-new", names, key, known).kind, row.new);
    assert.equal(decide(row.verdict, "no", names, key, known).kind, row.no);
    if (row.none !== undefined) {
      assert.equal(decide(row.verdict, "accept-new", names, key, without).kind, row.none);
    }
  });
}

test("a changed key: both keys' types, the fingerprint, file and line, and what is to be taken out", () => {
  const verdict = { kind: "changed", at, knownType: "ssh-rsa", address: null } as const;
  const decision = decide(verdict, "yes", names, key, known);
  assert.deepEqual(decision, {
    kind: "refuse",
    refusal: {
      code: "host-key-changed",
      message: `the host key of [gpu-1]:2222 has changed: the server has ED25519 ${fingerprint(key.blob)}, and /home/a b/known_hosts:7 has another key (RSA) for [gpu-1]:2222`,
      fix: null,
      fixAt: { file: "/home/a b/known_hosts", asked: "[gpu-1]:2222" },
      where: "/home/a b/known_hosts:7",
    },
  });
});

test("an unknown key: the fingerprint, and the file and name that it would be known by", () => {
  const decision = decide({ kind: "unknown" }, "yes", names, key, known);
  assert.ok(decision.kind === "refuse");
  assert.match(decision.refusal.message, /^no ED25519 host key is known for \[gpu-1\]:2222; .*SHA256:/);
  assert.deepEqual(decision.refusal.fixAt, { file: "/home/a b/known_hosts", asked: "[gpu-1]:2222" });
  const nowhere = decide({ kind: "unknown" }, "yes", names, key, without);
  assert.ok(nowhere.kind === "refuse");
  assert.match(nowhere.refusal.fix ?? "", /--ssh-known-hosts/);
});

test("an unreadable known_hosts is named, a missing certificate right too", () => {
  const files = { ...known, unreadable: () => [{ file: "/etc/ssh/kh", code: "EACCES" }] };
  const decision = decide({ kind: "unknown", certificateProblem: "expired" }, "yes", names, key, files);
  assert.ok(decision.kind === "refuse");
  assert.match(decision.refusal.message, /; expired; \/etc\/ssh\/kh cannot be read \(EACCES\)$/);
});

import assert from "node:assert/strict";
import test from "node:test";
import type { IdentityCandidate } from "../../../src/ssh/auth/identity.js";
import { userKeyAlgorithms } from "../../../src/ssh/auth/signature-algorithm.js";
import { Userauth, type Refusal } from "../../../src/ssh/auth/userauth.js";
import { WireReader } from "../../../src/ssh/keys/wire.js";

interface Sent {
  readonly method: string;
  /** `query`, `proof` or empty. */
  readonly kind: string;
  readonly key: string;
}

/** A server's end of the wire: keeps what was sent, decoded. */
function wire(): { readonly sent: Sent[]; readonly wire: ConstructorParameters<typeof Userauth>[0] } {
  const sent: Sent[] = [];
  return {
    sent,
    wire: {
      sessionId: () => Buffer.from("session"),
      serverAlgorithms: () => null,
      send: (method, payload) => {
        const reader = new WireReader(payload);
        assert.equal(reader.byte(), 50);
        assert.deepEqual([reader.text(), reader.text(), reader.text()], ["user", "ssh-connection", method]);
        if (method === "none") {
          assert.equal(reader.left, 0);
          sent.push({ method, kind: "", key: "" });
          return;
        }
        const proving = reader.byte() === 1;
        assert.equal(reader.text(), "ssh-ed25519");
        const key = reader.text();
        if (proving) assert.equal(reader.text(), `signature of ${key}`);
        assert.equal(reader.left, 0);
        sent.push({ method, kind: proving ? "proof" : "query", key });
      },
    },
  };
}

function key(name: string, changes: Partial<IdentityCandidate> = {}): IdentityCandidate {
  return {
    source: name,
    type: "ssh-ed25519",
    certified: false,
    rsaBits: null,
    blob: Buffer.from(name),
    fingerprint: `SHA256:${name}`,
    inMemory: true,
    file: null,
    sign: () => Buffer.from(`signature of ${name}`),
    ...changes,
  };
}

/** With a server that is sshd for certain, or one that is not. */
function start(
  keys: readonly IdentityCandidate[],
  isSshd: boolean,
): { auth: Userauth; sent: Sent[]; refusals: Refusal[] } {
  const { sent, wire: end } = wire();
  const refusals: Refusal[] = [];
  const request = { user: "user", keys, algorithms: userKeyAlgorithms(null), requiredRsaSize: 2048 };
  const auth = new Userauth(end, request, (refusal) => refusals.push(refusal));
  auth.start(isSshd);
  return { auth, sent, refusals };
}

const NONE: Sent = { method: "none", kind: "", key: "" };
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const viaAgent = (name: string, changes: Partial<IdentityCandidate> = {}): IdentityCandidate =>
  key(name, {
    inMemory: false,
    sign: () => Promise.resolve(Buffer.from(`signature of ${name}`)),
    ...changes,
  });

for (const isSshd of [true, false]) {
  test(`\`none\` goes first, then each key when the one before was answered: ${isSshd ? "sshd" : "another server"}`, async () => {
    const { auth, sent, refusals } = start([key("file"), viaAgent("agent"), key("last")], isSshd);
    const first: Sent = { method: "publickey", kind: "proof", key: "file" };
    assert.deepEqual(sent, isSshd ? [NONE, first] : [NONE]);
    auth.failure(["publickey", "password"], false);
    assert.deepEqual(sent, [NONE, first]);
    auth.failure(["publickey", "password"], false);
    assert.deepEqual(sent[2], { method: "publickey", kind: "query", key: "agent" });
    auth.keyAccepted();
    await later();
    assert.deepEqual(sent[3], { method: "publickey", kind: "proof", key: "agent" });
    assert.equal(auth.accepted?.source, "agent");
    auth.failure(["publickey"], false);
    auth.failure(["publickey"], false);
    assert.equal(sent.filter(({ method }) => method === "none").length, 1);
    assert.deepEqual(
      refusals.map(({ offered, methods }) => ({ offered, methods })),
      [{ offered: 3, methods: ["publickey"] }],
    );
  });

  test(`a server that names no publickey is offered nothing more: ${isSshd ? "sshd" : "another"}`, () => {
    const { auth, sent, refusals } = start([key("one"), key("two")], isSshd);
    auth.failure(["keyboard-interactive"], false);
    assert.equal(refusals.length, 1);
    assert.deepEqual(refusals[0]?.methods, ["keyboard-interactive"]);
    const before = sent.length;
    // An answer for a key that was already sent no longer counts.
    auth.failure(["publickey"], false);
    auth.keyAccepted();
    assert.equal(sent.length, before);
    assert.equal(refusals.length, 1);
  });

  test(`without a key \`none\` is asked all the same: ${isSshd ? "sshd" : "another"}`, () => {
    const { auth, sent, refusals } = start([], isSshd);
    assert.deepEqual([sent, refusals], [[NONE], []]);
    auth.failure(["publickey"], false);
    assert.deepEqual(refusals, [{ tried: [], offered: 0, methods: ["publickey"] }]);
  });
}

test("who is let in by `none` owes it to no key, whatever went out with it", () => {
  const { auth } = start([key("one")], true);
  assert.equal(auth.accepted, null);
  assert.equal(auth.progress.isNoneAnswered, false);
});

test("a refusal lists what was tried, and what was passed over", () => {
  const { auth, refusals } = start([key("one"), key("two"), key("short", { rsaBits: 1024 })], false);
  for (let i = 0; i < 3; i++) auth.failure(["publickey"], false);
  assert.deepEqual(refusals[0]?.tried, [
    "one SHA256:one refused",
    "two SHA256:two refused",
    "short SHA256:short skipped: shorter than RequiredRSASize 2048",
  ]);
});

test("a key that cannot sign is passed over", async () => {
  const broken = viaAgent("broken", { sign: () => Promise.reject(new Error("the agent refused to sign")) });
  const { auth, sent } = start([broken, key("next")], true);
  auth.failure(["publickey"], false);
  auth.keyAccepted();
  await later();
  assert.deepEqual(sent.at(-1), { method: "publickey", kind: "proof", key: "next" });
  assert.deepEqual(auth.progress.tried, [
    "broken SHA256:broken skipped: the agent refused to sign",
    "next SHA256:next no answer",
  ]);
});

test("partial success goes on with the next key", () => {
  const { auth, sent } = start([key("one"), key("two")], true);
  auth.failure(["publickey"], false);
  auth.failure(["publickey"], true);
  assert.deepEqual(sent.at(-1), { method: "publickey", kind: "proof", key: "two" });
  assert.equal(auth.progress.tried[0], "one SHA256:one accepted, more is asked for");
  assert.equal(auth.progress.refused, 0);
});

test("progress has the state of the current key", async () => {
  let sign: (signature: Buffer) => void = () => undefined;
  const slow = viaAgent("slow", { sign: () => new Promise((resolve) => (sign = resolve)) });
  const { auth } = start([key("wrong"), slow], true);
  assert.deepEqual([auth.progress.proof, auth.progress.refused], ["sent", 0]);
  auth.failure(["publickey"], false);
  auth.failure(["publickey"], false);
  assert.deepEqual([auth.progress.proof, auth.progress.refused], ["none", 1]);
  auth.keyAccepted();
  assert.match(auth.progress.tried[1] ?? "", /accepted, and not signed yet$/);
  sign(Buffer.from("signature of slow"));
  await later();
  assert.deepEqual(auth.progress.proof, "accepted");
  assert.match(auth.progress.tried[1] ?? "", /accepted$/);
});

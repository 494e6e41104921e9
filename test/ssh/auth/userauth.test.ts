import assert from "node:assert/strict";
import test from "node:test";
import type { Candidate } from "../../../src/ssh/auth/identity.js";
import { userKeyAlgorithms } from "../../../src/ssh/auth/signature-algorithm.js";
import { Userauth } from "../../../src/ssh/auth/userauth.js";
import type { Refusal } from "../../../src/ssh/auth/userauth.js";
import { WireReader } from "../../../src/ssh/known-hosts/wire.js";

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

function key(name: string, changes: Partial<Candidate> = {}): Candidate {
  return {
    source: name,
    type: "ssh-ed25519",
    certified: false,
    rsaBits: null,
    blob: Buffer.from(name),
    fingerprint: `SHA256:${name}`,
    inMemory: true,
    sign: () => Buffer.from(`signature of ${name}`),
    ...changes,
  };
}

function start(keys: readonly Candidate[]): { auth: Userauth; sent: Sent[]; refusals: Refusal[] } {
  const { sent, wire: end } = wire();
  const refusals: Refusal[] = [];
  const request = { user: "user", keys, algorithms: userKeyAlgorithms(null), requiredRsaSize: 2048 };
  const auth = new Userauth(end, request, (refusal) => refusals.push(refusal));
  auth.start();
  return { auth, sent, refusals };
}

test("a key in memory is proven at once, one elsewhere is asked for first", async () => {
  const { auth, sent } = start([
    key("file"),
    key("agent", { inMemory: false, sign: () => Promise.resolve(Buffer.from("signature of agent")) }),
  ]);
  assert.deepEqual(sent, [{ method: "publickey", kind: "proof", key: "file" }]);
  auth.failure(["publickey", "password"], false);
  assert.deepEqual(sent[1], { method: "publickey", kind: "query", key: "agent" });
  auth.keyAccepted();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent[2], { method: "publickey", kind: "proof", key: "agent" });
  assert.equal(auth.accepted?.source, "agent");
});

test("when all keys are refused, `none` is the last word, and the refusal lists what was tried", () => {
  const { auth, sent, refusals } = start([key("one"), key("two"), key("short", { rsaBits: 1024 })]);
  auth.failure(["publickey"], false);
  auth.failure(["publickey"], false);
  assert.deepEqual(sent.at(-1), { method: "none", kind: "", key: "" });
  assert.deepEqual(refusals, []);
  auth.failure(["publickey"], false);
  assert.deepEqual(refusals, [
    {
      tried: [
        "one SHA256:one refused",
        "two SHA256:two refused",
        "short SHA256:short skipped: shorter than RequiredRSASize 2048",
      ],
      offered: 2,
      methods: ["publickey"],
    },
  ]);
});

test("a server that takes no keys is offered no second one", () => {
  const { auth, sent, refusals } = start([key("one"), key("two")]);
  auth.failure(["password"], false);
  assert.deepEqual(
    sent.map((entry) => entry.method),
    ["publickey", "none"],
  );
  auth.failure(["password"], false);
  assert.equal(refusals.length, 1);
});

test("a key that cannot sign is passed over", async () => {
  const broken = key("broken", {
    inMemory: false,
    sign: () => Promise.reject(new Error("the agent refused to sign")),
  });
  const { auth, sent } = start([broken, key("next")]);
  auth.keyAccepted();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent.at(-1), { method: "publickey", kind: "proof", key: "next" });
  assert.deepEqual(auth.tried, [
    "broken SHA256:broken skipped: the agent refused to sign",
    "next SHA256:next no answer",
  ]);
});

test("partial success goes on with the next key", () => {
  const { auth, sent } = start([key("one"), key("two")]);
  auth.failure(["publickey"], true);
  assert.deepEqual(sent.at(-1), { method: "publickey", kind: "proof", key: "two" });
  assert.equal(auth.tried[0], "one SHA256:one accepted, more is asked for");
});

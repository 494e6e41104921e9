/** Diffie-Hellman with a group that the server chose: as OpenSSH's server does it, and as a hostile one would. */
import assert from "node:assert/strict";
import { createDiffieHellmanGroup } from "node:crypto";
import { describe, test } from "node:test";
import { GroupKeys } from "../../../src/ssh/ssh2/group-exchange.js";
import { connect, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { missing, startSshd } from "../../support/sshd.js";

/** Group 14 of RFC 3526, 2048 bits. */
const PRIME = createDiffieHellmanGroup("modp14").getPrime();
const TWO = Buffer.from([2]);

function cpuMs(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("both sides come to the same secret, and to that of Node's own exchange", () => {
  const ours = new GroupKeys(PRIME, TWO);
  const theirs = new GroupKeys(PRIME, TWO);
  const secret = ours.computeSecret(theirs.getPublicKey());
  assert.deepEqual(secret, theirs.computeSecret(ours.getPublicKey()));
  const node = createDiffieHellmanGroup("modp14");
  node.generateKeys();
  const withNode = Buffer.from(ours.computeSecret(node.getPublicKey()).toString("hex"), "hex");
  assert.equal(asNumber(withNode), asNumber(node.computeSecret(ours.getPublicKey())));
  assert.deepEqual(ours.getPrime(), PRIME);
  assert.deepEqual(ours.getGenerator(), TWO);
});

test("an mpint's leading zero changes nothing", () => {
  const zero = Buffer.from([0]);
  const ours = new GroupKeys(Buffer.concat([zero, PRIME]), Buffer.concat([zero, TWO]));
  const theirs = new GroupKeys(PRIME, TWO);
  assert.deepEqual(
    ours.computeSecret(theirs.getPublicKey()),
    theirs.computeSecret(Buffer.concat([zero, ours.getPublicKey()])),
  );
});

const odd = (bits: number): Buffer => {
  const prime = Buffer.alloc(bits / 8, 0xff);
  return prime;
};

test("a prime outside the bounds of RFC 8270 is refused before anything is computed", () => {
  for (const bits of [8, 1024, 2040, 8200, 10_000, 32_768, 200_000]) {
    const ms = cpuMs(() => assert.throws(() => new GroupKeys(odd(bits), TWO), /a prime of \d+ bits/));
    assert.ok(ms < 50, `${bits} bits: ${ms} ms`);
  }
});

test("what is no group is refused: an even modulus, generators and public keys without a secret", () => {
  const even = Buffer.concat([PRIME.subarray(0, -1), Buffer.from([0xfe])]);
  assert.throws(() => new GroupKeys(even, TWO), /even/);
  for (const generator of [Buffer.alloc(0), Buffer.from([0]), Buffer.from([1]), PRIME])
    assert.throws(() => new GroupKeys(PRIME, generator), /generator/);
  const keys = new GroupKeys(PRIME, TWO);
  const lessOne = Buffer.concat([PRIME.subarray(0, -1), Buffer.from([0xfe])]);
  for (const peer of [Buffer.alloc(0), Buffer.from([0]), Buffer.from([1]), lessOne, PRIME, odd(2056)])
    assert.throws(() => keys.computeSecret(peer), /public key/);
});

test("8192 bits cost less than a second, whether prime or not", () => {
  // Node's own test of the prime takes 25 s for one that is prime.
  const ms = cpuMs(() => {
    const keys = new GroupKeys(createDiffieHellmanGroup("modp18").getPrime(), TWO);
    keys.computeSecret(new GroupKeys(odd(8192), TWO).getPublicKey());
  });
  assert.ok(ms < 1000, `${ms} ms`);
});

describe("a server that offers nothing but group exchange", { skip: missing ?? false }, () => {
  test("is reached at the price of any other", async (t) => {
    const server = await startSshd({
      config: ["KexAlgorithms diffie-hellman-group-exchange-sha256", "RekeyLimit 256K"],
    });
    t.after(() => server.stop());
    const plan = testPlan(
      { port: server.port, user: server.user, hostKeyAlias: null },
      { keyFiles: [server.userKey.file], knownHostsFile: server.knownHostsFile },
    );
    const shared = testShared();
    t.after(() => shared.close());
    const before = process.cpuUsage();
    const connection = await connect(plan, shared);
    // More than the limit: at least one exchange of keys within the session.
    const { stdout } = await run(connection, "head -c 700000 /dev/zero; echo done");
    await connection.close();
    const { user, system } = process.cpuUsage(before);
    assert.ok(stdout.endsWith("done\n"));
    assert.ok((user + system) / 1000 < 3000, `${(user + system) / 1000} ms of CPU`);
  });
});

function asNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

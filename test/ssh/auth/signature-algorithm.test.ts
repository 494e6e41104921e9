import assert from "node:assert/strict";
import test from "node:test";
import { chooseAlgorithm, userKeyAlgorithms } from "../../../src/ssh/auth/signature-algorithm.js";

const BOTH = ["ssh-ed25519", "rsa-sha2-256", "rsa-sha2-512"];
const rsa = { type: "ssh-rsa", certified: false };
const rsaCertificate = { type: "ssh-rsa", certified: true };
const ed25519 = { type: "ssh-ed25519", certified: false };
const CERT = "-cert-v01@openssh.com";

const CASES = [
  {
    name: "RSA takes the config's first that the server takes",
    key: rsa,
    spec: null,
    server: BOTH,
    offered: "rsa-sha2-512",
  },
  {
    name: "RSA with a server of SHA-256",
    key: rsa,
    spec: null,
    server: ["rsa-sha2-256"],
    offered: "rsa-sha2-256",
  },
  {
    name: "RSA in the config's order",
    key: rsa,
    spec: "^rsa-sha2-256",
    server: BOTH,
    offered: "rsa-sha2-256",
  },
  { name: "RSA by SHA-1 is not offered", key: rsa, spec: null, server: ["ssh-rsa"], offered: null },
  {
    name: "RSA by SHA-1 where the config adds it",
    key: rsa,
    spec: "+ssh-rsa",
    server: ["ssh-rsa"],
    offered: "ssh-rsa",
  },
  { name: "RSA and a server that sends no list", key: rsa, spec: null, server: null, offered: null },
  {
    name: "RSA and such a server, SHA-1 allowed",
    key: rsa,
    spec: "+ssh-rsa",
    server: null,
    offered: "ssh-rsa",
  },
  {
    name: "an RSA certificate",
    key: rsaCertificate,
    spec: null,
    server: BOTH,
    offered: `rsa-sha2-512${CERT}`,
  },
  {
    name: "ed25519 needs no list from the server",
    key: ed25519,
    spec: null,
    server: null,
    offered: "ssh-ed25519",
  },
  {
    name: "ed25519 that the config leaves out",
    key: ed25519,
    spec: "-ssh-ed25519",
    server: BOTH,
    offered: null,
  },
  { name: "a pattern", key: ed25519, spec: "ssh-ed*", server: BOTH, offered: "ssh-ed25519" },
] as const;

for (const { name, key, spec, server, offered } of CASES) {
  test(name, () => {
    const choice = chooseAlgorithm(key, userKeyAlgorithms(spec), server);
    assert.equal(choice?.offered ?? null, offered);
    if (choice !== null) assert.equal(choice.signature, choice.offered.replace(CERT, ""));
  });
}

test("a security key's certificate has the name without its @", () => {
  const key = { type: "sk-ssh-ed25519@openssh.com", certified: true };
  const choice = chooseAlgorithm(key, userKeyAlgorithms(null), null);
  assert.deepEqual(choice, { offered: `sk-ssh-ed25519${CERT}`, signature: "sk-ssh-ed25519@openssh.com" });
});

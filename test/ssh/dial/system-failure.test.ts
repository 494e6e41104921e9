/** Which failed system calls are this machine's limits and no host's fault. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../../src/contract/errors.js";
import { isLocalLimit, localLimit } from "../../../src/contract/local-limit.js";
import { systemFailure } from "../../../src/ssh/dial/system-failure.js";
import { jumpFailure } from "../../../src/ssh/jump/failure.js";

const failed = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
const WHERE = { host: "gpu1", port: 22 };

for (const [code, fix] of [
  ["EMFILE", /ulimit -n/],
  ["ENFILE", /fs\.file-max/],
  ["EAGAIN", /ulimit -u/],
  ["ENOMEM", /memory/],
  ["ENOBUFS", /memory/],
] as const) {
  test(`${code} is local-limit in every phase, and the message has the fix`, () => {
    for (const phase of ["resolve", "dial", "handshake", "auth", "probe", "sample"] as const) {
      const { failure } = systemFailure(failed(code), WHERE, phase);
      assert.equal(failure.code, "local-limit");
      assert.equal(failure.phase, phase);
      assert.match(failure.message, fix);
      assert.match(failure.fix ?? "", fix);
    }
    assert.ok(isLocalLimit(failed(code)));
    assert.equal(localLimit(failed(code), "dial", "ssh")?.failure.code, "local-limit");
  });
}

test("a failure of a host or a network is not local-limit", () => {
  for (const code of ["ECONNREFUSED", "ENOTFOUND", "EACCES", "ENOENT", "toString", "__proto__"]) {
    assert.equal(isLocalLimit(failed(code)), false);
    assert.equal(localLimit(failed(code), "dial", "ssh"), null);
    assert.notEqual(systemFailure(failed(code), WHERE, "dial").failure.code, "local-limit");
  }
  for (const odd of [null, undefined, "EMFILE", {}, new Error("EMFILE")])
    assert.equal(isLocalLimit(odd), false);
});

test("through a jump host local-limit stays this machine's", () => {
  for (const code of ["local-limit", "internal-error"] as const)
    assert.equal(jumpFailure("bastion", new HostError(code, "dial", "x")).failure.code, code);
  assert.equal(
    jumpFailure("bastion", new HostError("no-usable-key", "auth", "x")).failure.code,
    "proxy-failed",
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { STATE_OF_CODE, type FailureCode } from "../../src/contract/record.js";
import { retryDelayMs } from "../../src/host/host-status.js";

const CODES = Object.keys(STATE_OF_CODE) as FailureCode[];

test("what an operator must fix is retried slowly, the rest with a growing, jittered wait", () => {
  assert.equal(retryDelayMs("connection-refused", 1, 0.999), 999);
  assert.equal(retryDelayMs("connection-refused", 4, 0.5), 4000);
  assert.equal(retryDelayMs("connection-refused", 40, 0.5), 30_000);
  assert.equal(retryDelayMs("connection-refused", 3, 0), 500);
  for (const code of ["auth-failed", "no-usable-key", "host-key-changed", "no-tool"] as const) {
    assert.equal(retryDelayMs(code, 1, 0.5), 300_000);
  }
});

test("a denied account is tried again at once: a server that is stopped in a login looks the same", () => {
  assert.equal(retryDelayMs("access-denied", 1, 0.999), 999);
  assert.equal(retryDelayMs("access-denied", 2, 0.5), 300_000);
});

test("every wait is within half a second and 330 s", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CODES),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (code, failures, random) => {
        const delay = retryDelayMs(code, failures, random);
        assert.ok(Number.isInteger(delay) && delay >= 500 && delay <= 330_000);
      },
    ),
  );
});

/** Times are formatted as by toISOString. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isoTime } from "../../src/lib/iso-time.js";

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const MINUTE_MS = 60_000;

test("as toISOString, whatever time came before", () => {
  const near = fc
    .tuple(fc.integer({ min: 0, max: Math.floor(LAST_MS / MINUTE_MS) }), fc.integer({ min: -2, max: 2 }))
    .map(([minutes, ms]) => Math.max(0, minutes * MINUTE_MS + ms));
  const time = fc.oneof(fc.double({ min: 0, max: LAST_MS, noNaN: true }), near);
  fc.assert(
    fc.property(fc.array(time, { maxLength: 5 }), (times) => {
      for (const ms of times) assert.equal(isoTime(ms), new Date(ms).toISOString());
    }),
    { numRuns: 2000 },
  );
  for (const ms of [0, 59_999.9, 60_000, LAST_MS]) assert.equal(isoTime(ms), new Date(ms).toISOString());
});

test("an invalid time throws RangeError, as with toISOString", () => {
  assert.throws(() => isoTime(Number.NaN), RangeError);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamRecord } from "../../src/contract/record.js";
import { connectingIn, progressText } from "../../src/outcome/connect-progress.js";
import { Tally } from "../../src/outcome/tally.js";
import { frame, state } from "../support/records.js";

const refusal = { code: "auth-failed", phase: "auth", message: "no" } as const;
const names = new Map(["a", "b", "c", "d", "e"].map((name) => [`admin@${name}:22`, name]));

function tallyOf(records: readonly StreamRecord[]): Tally {
  const tally = new Tally({ failOn: [], drift: null });
  for (const record of records) tally.take(record);
  return tally;
}

const FLEET = tallyOf([
  state({ hostname: "a", state: "connecting", last_error: null }),
  frame({ hostname: "b" }),
  state({ hostname: "c", state: "auth-failed", last_error: refusal }),
  state({ hostname: "d" }),
]);

test("connected, refused, not reached and under way, of all parts of a fleet", () => {
  const connecting = connectingIn([FLEET.counts, tallyOf([frame({ hostname: "x" })]).counts], 8);
  assert.deepEqual(connecting, { total: 8, connected: 2, refused: 1, failed: 1, underWay: 4 });
});

test("a host that refused and is connected to later is no refusal", () => {
  const tally = tallyOf([
    state({ hostname: "c", state: "auth-failed", last_error: refusal }),
    frame({ hostname: "c" }),
  ]);
  assert.equal(tally.counts.refused, 0);
});

test("the line names the last hosts that are waited for, where there is space", () => {
  const connecting = connectingIn([FLEET.counts], 5);
  const awaited = FLEET.awaited(names, 5);
  assert.deepEqual(awaited, ["a", "e"]);
  const line = "connected 1 of 5, 1 refused, 1 not reached, 2 under way";
  assert.equal(progressText(connecting, { awaited, secs: 12.3, columns: 79 }), `${line} for 12 s: a, e`);
  assert.equal(progressText(connecting, { awaited, secs: 12.3, columns: 60 }), line);
  assert.equal(progressText(connecting, { awaited, secs: 12.3, columns: 9 }), "connected");
  const many = { total: 300, connected: 214, refused: 3, failed: 0, underWay: 83 };
  const text = progressText(many, { awaited: ["a", "b", "c", "d", "e"], secs: 1, columns: 79 });
  assert.equal(text, "connected 214 of 300, 3 refused, 83 under way");
});

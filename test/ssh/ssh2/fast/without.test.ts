/**
 * Without the fast paths a host is reached and read the same. They patch ssh2's classes for the whole process, so the
 * runs without them come first in this file.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import type { HostFailure } from "../../../../src/contract/errors.js";
import type { HostConfig } from "../../../../src/ssh/config/host-config.js";
import type { HostPlan } from "../../../../src/ssh/plan/plan.js";
import { connect, failureOf, run, type Ran } from "../../../support/connected.js";
import { testPlan, testShared, type TestShared } from "../../../support/host-plan.js";
import { missing, startSshd, type Sshd } from "../../../support/sshd.js";

const skip = missing ?? false;

const COMMANDS: readonly (readonly [command: string, input: string])[] = [
  ["echo out; echo err >&2; exit 3", ""],
  ["cat; kill -9 $$", "one line\n"],
  // Larger than a window of SSH, and long enough for rekeys at the limit below.
  ["head -c 3000000 /dev/zero | tr '\\0' x", ""],
];

interface Outcome {
  readonly direct: readonly Ran[];
  readonly jumped: readonly Ran[];
  readonly refused: HostFailure;
  readonly offered: number;
}

async function outcome(
  shared: TestShared,
  server: Sshd,
  plans: { readonly direct: HostPlan; readonly jumped: HostPlan; readonly refused: HostPlan },
): Promise<Outcome> {
  const runAll = async (plan: HostPlan): Promise<readonly Ran[]> => {
    const connection = await connect(plan, shared);
    const all: Ran[] = [];
    for (const [command, input] of COMMANDS) all.push(await run(connection, command, input));
    await connection.close();
    return all;
  };
  const before = server.log().split("Accepted publickey").length;
  const [direct, jumped] = [await runAll(plans.direct), await runAll(plans.jumped)];
  const offered = server.log().split("Accepted publickey").length - before;
  return { direct, jumped, refused: await failureOf(plans.refused, shared), offered };
}

async function start(t: TestContext): Promise<Sshd> {
  const server = await startSshd({ config: ["RekeyLimit 1M"] });
  t.after(() => server.stop());
  return server;
}

test("with and without the fast paths commands end the same, over a jump host too", { skip }, async (t) => {
  const [server, other] = [await start(t), await start(t)];
  const known = join(server.dir, "known_hosts");
  writeFileSync(known, `${server.knownHostsLine()}${other.knownHostsLine()}`);
  const planFor = (to: Sshd, keyOf: Sshd, config: Partial<HostConfig> = {}): HostPlan =>
    testPlan(
      { port: to.port, user: to.user, ...config },
      { keyFiles: [keyOf.userKey.file], knownHostsFile: known },
    );
  const direct = planFor(server, server);
  const plans = {
    direct,
    jumped: { ...direct, way: { kind: "jump", hop: planFor(other, other) } as const },
    refused: planFor(server, other),
  };
  const outcomes: Outcome[] = [];
  for (const isFast of [false, true]) {
    const shared = testShared(32, isFast);
    t.after(() => shared.close());
    outcomes.push(await outcome(shared, server, plans));
  }
  const [plain, fast] = outcomes;
  assert.ok(plain !== undefined);
  assert.deepEqual(plain, fast);
  assert.deepEqual(
    plain.direct.map(({ end }) => end),
    [
      { kind: "exit", code: 3 },
      { kind: "signal", signal: "SIGKILL" },
      { kind: "exit", code: 0 },
    ],
  );
  assert.deepEqual(plain.jumped, plain.direct);
  assert.equal(plain.direct[2]?.stdout.length, 3_000_000);
  assert.equal(plain.refused.code, "auth-failed");
});

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Connection } from "../../../src/contract/connection.js";
import { HostError } from "../../../src/contract/errors.js";
import { createConnector } from "../../../src/ssh/connector.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { connect, failureOf, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { signalPid, waitFor } from "../../support/processes.js";
import { knownHostsLines, missing, startSshd, type Sshd } from "../../support/sshd.js";

const skip = missing ?? false;

/** A plan for a server, reached by `hop` where given. */
function planFor(server: Sshd, hop: HostPlan | null, hostname = "127.0.0.1", keyOf: Sshd = server): HostPlan {
  const known = join(server.dir, `known-${hostname}`);
  writeFileSync(known, knownHostsLines(hostname, server.port, server.hostKeys));
  const plan = testPlan(
    { hostname, originalHost: hostname, port: server.port, user: server.user },
    { keyFiles: [keyOf.userKey.file], knownHostsFile: known },
  );
  return hop === null ? plan : { ...plan, way: { kind: "jump", hop } };
}

function accepted(server: Sshd): number {
  return server.log().split("Accepted publickey").length - 1;
}

async function lostError(connection: Connection): Promise<HostError> {
  const error = await connection.lost;
  assert.ok(error instanceof HostError);
  return error;
}

test("300 targets behind one jump host are all reached, at sshd's own MaxStartups", { skip }, async (t) => {
  // Both the jump host and the machine that plays all targets drop connections from the tenth on.
  const config = ["MaxStartups 10:30:100"];
  const jump = await startSshd({ config });
  t.after(() => jump.stop());
  const far = await startSshd({ config, addresses: ["127.0.0.1"] });
  t.after(() => far.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const hop = planFor(jump, null);
  const names = Array.from({ length: 300 }, (_, i) => `target-${i}`);
  const known = join(far.dir, "known");
  writeFileSync(known, names.map((name) => knownHostsLines(name, 22, far.hostKeys)).join(""));
  const answers = await Promise.all(
    names.map(async (name) => {
      const plan = testPlan(
        { hostname: "127.0.0.1", originalHost: name, hostKeyAlias: name, port: far.port, user: far.user },
        { keyFiles: [far.userKey.file], knownHostsFile: known, timeoutMs: 60_000 },
      );
      return createConnector({ ...plan, way: { kind: "jump", hop } }, shared).connect(
        AbortSignal.timeout(120_000),
      );
    }),
  );
  assert.equal(answers.length, 300);
  assert.equal(accepted(jump), 1, "one session with the jump host");
  // The log's last lines may still be on their way.
  await waitFor("all logins in the log", () => accepted(far) >= 300);
  assert.equal(accepted(far), 300);
  const ran = await run(answers[299] ?? assert.fail(), "echo here");
  assert.equal(ran.stdout, "here\n");
  const sessions = (): number =>
    jump.processes().filter((entry) => entry.command.startsWith(`sshd: ${jump.user}`)).length;
  assert.notEqual(sessions(), 0);
  await Promise.all(answers.map((connection) => connection.close()));
  await waitFor("the jump session ends with the last target", () => sessions() === 0);
});

test("targets are lost with their jump host and come back with it", { skip }, async (t) => {
  const jump = await startSshd();
  t.after(() => jump.stop());
  const far = await startSshd();
  t.after(() => far.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const plans = ["127.0.0.1", "localhost"].map((name) => planFor(far, planFor(jump, null), name));
  const first = await Promise.all(plans.map((plan) => connect(plan, shared)));
  for (const entry of jump.processes()) {
    if (entry.command.startsWith(`sshd: ${jump.user}`)) signalPid(entry.pid, "SIGKILL");
  }
  for (const connection of first) {
    const { failure } = await lostError(connection);
    assert.equal(failure.code, "connection-lost");
    assert.match(
      failure.message,
      new RegExp(`^jump host ${jump.user}@127\\.0\\.0\\.1:${jump.port} went away`),
    );
  }
  const again = await Promise.all(plans.map((plan) => connect(plan, shared)));
  for (const connection of again) assert.equal((await run(connection, "echo back")).stdout, "back\n");
  assert.equal(accepted(jump), 2, "one new session for both");
  await Promise.all([...first, ...again].map((connection) => connection.close()));
});

test("two hops, each with its own key and host key", { skip }, async (t) => {
  const [near, middle, far] = await Promise.all([startSshd(), startSshd(), startSshd()]);
  for (const server of [near, middle, far]) t.after(() => server.stop());
  const shared = testShared();
  t.after(() => shared.close());
  const plan = planFor(far, planFor(middle, planFor(near, null)));
  const connection = await connect(plan, shared);
  assert.equal((await run(connection, "echo far")).stdout, "far\n");
  assert.deepEqual([accepted(near), accepted(middle), accepted(far)], [1, 1, 1]);
  await connection.close();
  for (const server of [near, middle]) {
    await waitFor(
      "no session is left",
      () => !server.processes().some((entry) => entry.command.startsWith(`sshd: ${server.user}`)),
    );
  }
});

test("targets fail with their jump host's reason", { skip }, async (t) => {
  const jump = await startSshd();
  t.after(() => jump.stop());
  const far = await startSshd();
  t.after(() => far.stop());
  const hop = planFor(jump, null);
  const deniedHop = planFor(jump, null, "127.0.0.1", far);
  const cases: readonly (readonly [string, HostPlan, string, RegExp])[] = [
    ["a refused key", planFor(far, deniedHop), "proxy-failed", /^jump host \S+: auth-failed: /],
    ["a closed port", planFor(far, { ...hop, port: 1 }), "proxy-failed", /: connection-refused: /],
    [
      "an unknown host key",
      planFor(far, { ...hop, knownHosts: { userFiles: [], globalFiles: [], revokedFiles: [] } }),
      "proxy-failed",
      /: host-key-unknown: /,
    ],
    [
      "a target that is down",
      { ...planFor(far, hop), port: 1 },
      "connection-refused",
      /^jump host \S+ cannot connect to 127\.0\.0\.1:1: /,
    ],
  ];
  for (const [name, plan, code, message] of cases) {
    await t.test(name, async (t) => {
      const shared = testShared();
      t.after(() => shared.close());
      const failure = await failureOf(plan, shared);
      assert.equal(failure.code, code);
      assert.match(failure.message, message);
      if (name === "a refused key") assert.equal(failure.tried?.length, 1);
    });
  }
});

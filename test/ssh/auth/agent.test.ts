/** Agents that take their time to sign: as with ssh, they have the login's own. */
import assert from "node:assert/strict";
import test from "node:test";
import type { TestContext } from "node:test";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { startAgent, startSlowAgent, type SlowAgent } from "../../support/agent.js";
import { connect, failureOf } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { missing, startSshd } from "../../support/sshd.js";

const skip = missing ?? false;

interface Bench {
  readonly agent: SlowAgent;
  readonly plan: (timeoutMs: number) => HostPlan;
}

async function bench(t: TestContext, signMs: number | null): Promise<Bench> {
  const server = await startSshd();
  t.after(() => server.stop());
  const real = await startAgent();
  t.after(() => real.stop());
  real.add(server.userKey);
  const agent = await startSlowAgent(real, signMs);
  t.after(() => agent.stop());
  const { knownHostsFile } = server;
  const config = { port: server.port, user: server.user, identityAgent: agent.socket };
  return { agent, plan: (timeoutMs) => testPlan(config, { knownHostsFile, timeoutMs }) };
}

for (const signMs of [1_500, 4_000]) {
  test(`an agent that signs after ${signMs} ms lets us in`, { skip }, async (t) => {
    const { plan } = await bench(t, signMs);
    await (await connect(plan(15_000), testShared())).close();
  });
}

test(
  "an agent that waits for its user's hand still counts as alive to the hosts that come next",
  { skip },
  async (t) => {
    const { agent, plan } = await bench(t, 1_200);
    const shared = testShared();
    const first = connect(plan(15_000), shared);
    // Beyond what a list is good for: the second host comes while the first one's signature is awaited.
    await new Promise((resolve) => setTimeout(resolve, 400));
    const others = [connect(plan(15_000), shared), connect(plan(15_000), shared)];
    for (const connection of await Promise.all([first, ...others])) await connection.close();
    assert.equal(agent.signatures(), 3);
  },
);

test(
  "an agent that never signs ends with the login's timeout, and the message names it",
  { skip },
  async (t) => {
    const { plan } = await bench(t, 60_000);
    const failure = await failureOf(plan(1_500), testShared());
    assert.deepEqual([failure.code, failure.phase], ["handshake-timeout", "auth"]);
    assert.match(failure.tried?.[0] ?? "", /^agent SHA256:\S+ accepted, and not signed yet$/);
  },
);

test("an agent that declines is not fixed by copying the key", { skip }, async (t) => {
  const { plan } = await bench(t, null);
  const failure = await failureOf(plan(5_000), testShared());
  assert.equal(failure.code, "no-usable-key");
  assert.match(failure.tried?.[0] ?? "", /refused to sign/);
  assert.match(failure.fix ?? "", /^let the agent sign when it asks/);
  assert.doesNotMatch(failure.fix ?? "", /ssh-copy-id/);
});

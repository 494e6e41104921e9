/** What `ssh -o BatchMode=yes HOST true` reaches we reach; what it refuses we refuse, for the same reason. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Limiter } from "../../../src/lib/limiter.js";
import * as sshd from "../../support/sshd.js";
import { askOracle } from "./oracle.js";
import { askUs } from "./ours.js";
import { describeOutcome } from "./outcome.js";
import { prepare } from "./scenario.js";
import type { Scenario } from "./scenario.js";
import { agentScenarios, certificateScenarios, keyScenarios, serverScenarios } from "./scenarios-auth.js";
import { algorithmScenarios, faultScenarios, hostKeyScenarios, systemScenarios } from "./scenarios-hosts.js";
import { configScenarios, dropbearScenarios, jumpScenarios } from "./scenarios-ways.js";
import { makeWorld } from "./world.js";
import type { World } from "./world.js";

const SCENARIOS: readonly Scenario[] = [
  ...keyScenarios,
  ...agentScenarios,
  ...certificateScenarios,
  ...serverScenarios,
  ...hostKeyScenarios,
  ...systemScenarios,
  ...algorithmScenarios,
  ...faultScenarios,
  ...configScenarios,
  ...jumpScenarios,
  ...dropbearScenarios,
];

const AT_ONCE = 4;
/** What is also tried with `--ssh-client openssh`: where we could misread the messages of ssh. */
const BY_SYSTEM: ReadonlySet<Scenario> = new Set(
  [
    ...serverScenarios,
    ...hostKeyScenarios,
    ...algorithmScenarios,
    ...faultScenarios,
    ...jumpScenarios,
  ].filter(({ stays, env }) => stays === undefined && env === undefined),
);

function lacking({ needs }: Scenario, world: World): string | null {
  if (needs === "dropbear" && !world.hasDropbear) return "dropbear cannot be started here";
  if (needs === "ipv6" && !world.hasIpv6) return "no IPv6 loopback";
  return null;
}

describe("live, against OpenSSH", { skip: sshd.missing ?? false, concurrency: AT_ONCE }, () => {
  let world: World;
  let number = 0;
  const oneByOne = new Limiter(1);
  const disagreements: string[] = [];
  let agreements = 0;
  let bySystem = 0;
  before(async () => {
    world = await makeWorld();
  });
  after(async () => {
    await world.stop();
    console.log(`live: ${agreements} of ${agreements + disagreements.length} scenarios agree with ssh`);
    console.log(`live: ${bySystem} of ${BY_SYSTEM.size} agree by --ssh-client openssh`);
    for (const line of disagreements) console.log(`live: disagrees: ${line}`);
  });

  for (const scenario of SCENARIOS) {
    test(scenario.name, async (t) => {
      const missing = lacking(scenario, world);
      if (missing !== null) {
        t.skip(missing);
        return;
      }
      const dir = join(world.dir, `scenario-${number++}`);
      const theirs = prepare(scenario, world, `${dir}-ssh`);
      const mine = prepare(scenario, world, `${dir}-ours`);
      const proxied = /^Proxy/m.test(readFileSync(theirs.configFile, "utf8"));
      // dropbear lets five connections of one address in at once (MAX_UNAUTH_PER_IP).
      const release = scenario.needs === "dropbear" ? await oneByOne.acquire(t.signal) : () => undefined;
      const [oracle, ours] = await Promise.all([
        askOracle({ ...theirs, proxied }),
        askUs({ ...mine, client: "auto" }),
      ]).finally(release);
      const ssh = oracle === "hung" ? "hung" : describeOutcome(oracle);
      const us = describeOutcome(ours.outcome);
      const details = [
        `ssh: ${ssh}`,
        oracle !== "hung" && oracle.kind === "refused" ? oracle.message : "",
        `we: ${us}`,
        ours.outcome.kind === "refused" ? ours.outcome.message : `by ${ours.client ?? ""}`,
      ].join("\n");
      const about = `the oracle's answer is not what the scenario is about\n${details}`;
      if (typeof scenario.expect === "string") assert.equal(ssh, scenario.expect, about);
      else assert.match(ssh, scenario.expect, about);
      if (scenario.stays === undefined) assert.equal(us, ssh, details);
      else {
        assert.notEqual(us, ssh, `both agree: remove the scenario's reason\n${details}`);
        disagreements.push(`${scenario.name}: ssh ${ssh}, we ${us}: ${scenario.stays}`);
        return;
      }
      agreements += 1;
      if (BY_SYSTEM.has(scenario)) {
        const system = await askUs({ ...prepare(scenario, world, `${dir}-system`), client: "openssh" });
        const message = system.outcome.kind === "refused" ? system.outcome.message : "";
        assert.equal(describeOutcome(system.outcome), ssh, `by --ssh-client openssh\n${message}`);
        bySystem += 1;
      }
      if (ours.outcome.kind === "reached") {
        assert.equal(ours.client, scenario.client ?? "ssh2");
      }
    });
  }
});

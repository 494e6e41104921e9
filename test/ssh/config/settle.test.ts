/** Settings that we do not know: the installed ssh takes or refuses them; and hosts that ssh refuses one by one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/ssh/config/config-error.js";
import type { SshVerdict } from "../../../src/ssh/config/environment.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { planOrRefuse } from "../../../src/ssh/plan/plan-target.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { testOptions } from "../../support/host-plan.js";
import { fakeEnvironment, type FakeMachine } from "./fake-environment.js";

async function planOf(config: string, machine: FakeMachine = {}, user?: string): Promise<HostPlan> {
  const environment = fakeEnvironment({ ...machine, files: { "/c": config } });
  const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
  const target = { host: "gpu", labels: {}, origin: "hosts:7", ...(user === undefined ? {} : { user }) };
  return planOrRefuse(target, testOptions(), loaded, environment);
}

const accepted: SshVerdict = { kind: "accepted", hostname: "real", user: "me", port: 44 };

describe("the installed ssh as the judge", () => {
  for (const [name, config, beyondUs, port] of [
    ["an unknown keyword", "NewThing yes\nPort 3\n", "/c:1", 3],
    ["one in a block for another host", "Host other\nNewThing yes\nHost *\nPort 3\n", undefined, 3],
    ["a new value of an old keyword", "Port 3\nStrictHostKeyChecking newly\n", "/c:2", 3],
    ["a new algorithm", "Port 3\nPubkeyAcceptedAlgorithms +ssh-new@example.com\n", "/c:2", 3],
    ["a new criterion, whose names ssh knows", "Match weather rain\nPort 3\n", "/c:1", 44],
  ] as const) {
    test(`${name} that it takes`, async () => {
      const { config: resolved, port: planned } = await planOf(config, { verdict: accepted });
      assert.deepEqual([resolved.beyondUs, planned], [beyondUs, port]);
    });
    test(`${name} without an ssh`, async () => {
      await assert.rejects(planOf(config), ConfigError);
    });
  }

  test("a file that ssh refuses is refused with its messages", async () => {
    const complaints = [
      "/c: line 1: Bad configuration option: newthing",
      "/c: terminating, 1 bad configuration options",
    ];
    await assert.rejects(
      planOf("NewThing yes\n", { verdict: { kind: "refused", complaints } }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.problems, ["/c line 1: Bad configuration option: newthing"]);
        return true;
      },
    );
  });

  test("it is not asked of what we know to be right", async () => {
    const plan = await planOf("WarnWeakCrypto no-pq-kex\nPort 3\n", {
      verdict: { kind: "refused", complaints: [] },
    });
    assert.deepEqual([plan.port, plan.config.beyondUs], [3, undefined]);
  });
});

describe("a host that is refused without a mistake in the files", () => {
  for (const [name, config, message, code, where] of [
    [
      "RefuseConnection",
      'RefuseConnection "not here"\n',
      /RefuseConnection: not here/,
      "protocol-error",
      "/c:1",
    ],
    ["RemoteCommand", "Port 3\nRemoteCommand top\n", /remote command/, "protocol-error", "/c:2"],
    ["a variable without a value", "IdentityFile ${NOWHERE}\n", /NOWHERE/, "protocol-error", undefined],
    ["a user who cannot be expanded", "User a%r\n", /unknown key %r/, "protocol-error", "/c:1"],
    ["a jump in a circle", "ProxyJump gpu\n", /jumphost loop/, "protocol-error", "/c:1"],
    [
      "a name that cannot be resolved",
      "CanonicalizeHostname yes\nCanonicalDomains a\nCanonicalizeFallbackLocal no\n",
      /Could not resolve host/,
      "dns-not-found",
      undefined,
    ],
  ] as const) {
    test(name, async () => {
      const { refusal, host } = await planOf(config);
      assert.equal(host, "gpu");
      assert.match(refusal?.message ?? "", message);
      assert.deepEqual([refusal?.code, refusal?.phase, refusal?.where], [code, "resolve", where]);
    });
  }

  test("a mistake in the file is everybody's", async () => {
    await assert.rejects(planOf("Nonsense yes\n"), ConfigError);
  });

  for (const user of ["user%r", "%", "a%h%%"]) {
    test(`typed user ${user} is literal`, async () => {
      const plan = await planOf("Port 3\n", {}, user);
      assert.deepEqual([plan.user, plan.port, plan.refusal], [user, 3, undefined]);
    });
  }

  test("a typed user whom ssh refuses is named with the line of the hostfile", async () => {
    await assert.rejects(planOf("Port 3\n", {}, "a${HOME}"), /hosts:7: gpu: remote username/);
  });

  test("tokens in the hops of ProxyJump are the target's", async () => {
    const { way } = await planOf("Host gpu\nUser admin\nProxyJump %r@gate-%h\n");
    assert.ok(way.kind === "jump");
    assert.deepEqual([way.hop.user, way.hop.host], ["admin", "gate-gpu"]);
  });
});

/**
 * The fault matrix, cases of the network: runs of the program in a network namespace, whose hosts are the cases, with links,
 * firewalls and a name server that exist only there.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missing } from "../support/sshd.js";
import type { HostCase } from "./matrix/fault-case.js";
import { runGroup } from "./matrix/host-runner.js";
import { NetworkCases } from "./matrix/network-cases.js";
import { hasNetem, missingNetwork, Network } from "./matrix/network.js";
import { stopServers } from "./matrix/servers.js";

const skip = missing ?? missingNetwork() ?? false;
const noNetem = hasNetem() ? false : "SKIPPED LOUDLY: this kernel has no netem";

describe(
  "hosts behind a network with a fault, and healthy hosts beside them",
  { skip, concurrency: 2 },
  () => {
    let network: Network;
    let all: NetworkCases;
    before(async () => {
      network = await Network.start();
      all = await NetworkCases.start(network);
    });
    after(async () => {
      all.stop();
      network.stop();
      await stopServers();
    });
    const group = (name: string, cases: () => readonly HostCase[], flags: readonly string[]): void => {
      test(name, async (t) => {
        const { healthy, within } = all;
        const outcomes = await runGroup({ name, cases: cases(), healthy, flags, within });
        assert.ok(outcomes.length > 10);
        for (const { name: of, problem } of outcomes)
          await t.test(of, () => {
            assert.equal(problem, null);
          });
      });
    };
    group("network", () => all.all(), []);
    group("network, system ssh", () => all.forSystemClient(), ["--ssh-client", "openssh"]);
    test("spoiled, doubled and reordered packets", { skip: noNetem }, () => {
      assert.ok(all.all().some(({ name }) => name.includes("spoiled")));
    });
  },
);

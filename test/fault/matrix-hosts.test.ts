/**
 * The fault matrix, cases of hosts: each group is one run of the program, whose hosts are the cases, with healthy hosts
 * beside them. `npm run faults` prints the table of all cases at its end.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { canIsolate } from "../support/remote-machine.js";
import { missing } from "../support/sshd.js";
import { LOGIN_ATTACKS, SESSION_ATTACKS } from "./matrix/attacks.js";
import { CONNECTION_CASES } from "./matrix/connection-cases.js";
import type { HostCase } from "./matrix/fault-case.js";
import { runGroup, type RunBounds } from "./matrix/host-runner.js";
import { OPENSSH_CASES } from "./matrix/openssh-cases.js";
import { LOGIN_CASES } from "./matrix/login-cases.js";
import { PEER_CASES } from "./matrix/peer-cases.js";
import { PROCESS_TABLE_CASES } from "./matrix/process-table-cases.js";
import { hostAt, serve, stopServers } from "./matrix/servers.js";
import { toolCases } from "./matrix/tool-cases.js";

const skip = missing ?? false;

interface GroupOfCases {
  readonly name: string;
  readonly cases: () => Promise<readonly HostCase[]>;
  readonly flags: readonly string[];
  readonly bounds?: RunBounds;
  readonly faultsAtOnce?: number;
}

/**
 * Between what the floods take (270 MiB with all of them at once: up to 32 MiB of an answer are kept, as bytes and as text)
 * and what one would take that is kept whole (over 1 GiB).
 */
const MAX_MIB = 500;

const GROUPS: readonly GroupOfCases[] = [
  // The default interval and deadlines: what they promise is promised of these cases.
  { name: "connection", cases: () => Promise.resolve(CONNECTION_CASES), flags: [] },
  { name: "system ssh", cases: () => Promise.resolve(OPENSSH_CASES), flags: ["--ssh-client", "openssh"] },
  {
    name: "peer",
    cases: () => Promise.resolve(PEER_CASES),
    flags: ["--interval", "1", "--ssh-timeout-secs", "3"],
  },
  { name: "login", cases: () => Promise.resolve(LOGIN_CASES), flags: ["--tool-timeout-secs", "3"] },
  {
    name: "hostile login",
    cases: () => Promise.resolve(LOGIN_ATTACKS),
    flags: ["--tool-timeout-secs", "3"],
    bounds: { maxCpuSecs: 15, maxMib: MAX_MIB },
  },
  {
    name: "hostile session",
    cases: () => Promise.resolve(SESSION_ATTACKS),
    flags: ["--tool-timeout-secs", "3"],
    bounds: { maxCpuSecs: 40, maxMib: MAX_MIB },
    // More would take the processor from each other, and so stay below the limits.
    faultsAtOnce: 4,
  },
  {
    name: "tool",
    cases: async () => [
      ...toolCases(await serve({ config: ["MaxSessions 100"] })),
      ...(canIsolate() ? PROCESS_TABLE_CASES : []),
    ],
    flags: ["--tool-timeout-secs", "2"],
  },
];

describe("hosts with a fault, and healthy hosts beside them", { skip }, () => {
  after(() => stopServers());
  for (const { cases, ...group } of GROUPS) {
    test(group.name, async (t) => {
      const server = await serve();
      const outcomes = await runGroup({ ...group, cases: await cases(), healthy: hostAt(server) });
      for (const { name: of, problem } of outcomes)
        await t.test(of, () => {
          assert.equal(problem, null);
        });
    });
  }
  const noUsers = canIsolate() ? false : "SKIPPED LOUDLY: no right to make users of a watched host";
  test("a full process table", { skip: noUsers }, () => {
    assert.ok(PROCESS_TABLE_CASES.length > 0);
  });
});

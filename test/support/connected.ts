/** Connecting and running commands in tests of the SSH stage. */
import assert from "node:assert/strict";
import type { ChannelEnd, Connection } from "../../src/contract/connection.js";
import { HostError, type HostFailure } from "../../src/contract/errors.js";
import { createConnector, type SshShared } from "../../src/ssh/connector.js";
import type { HostPlan } from "../../src/ssh/plan/plan.js";

/** Connects within 20 s or throws. */
export function connect(plan: HostPlan, shared: SshShared): Promise<Connection> {
  return createConnector(plan, shared).connect(AbortSignal.timeout(20_000));
}

/** Why a host cannot be reached; fails the test when it can. */
export async function failureOf(plan: HostPlan, shared: SshShared): Promise<HostFailure> {
  let connection: Connection;
  try {
    connection = await connect(plan, shared);
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return error.failure;
  }
  await connection.close();
  assert.fail("the host was reached");
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly end: ChannelEnd;
}

/** Runs a command to its end, with `input` on its standard input. */
export function run(connection: Connection, command: string, input = ""): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    connection
      .open(command, {
        stdout: (chunk) => (stdout += chunk.toString("utf8")),
        stderr: (chunk) => (stderr += chunk.toString("utf8")),
        closed: (end) => resolve({ stdout, stderr, end }),
      })
      .then((channel) => {
        if (input !== "") channel.write(input);
        channel.end();
      }, reject);
  });
}

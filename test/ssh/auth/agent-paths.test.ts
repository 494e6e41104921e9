/** Agents that Node or the system refuses at once are AgentErrors like any other; what is asked later still works. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AgentError, AgentPool } from "../../../src/ssh/auth/agent.js";
import { findCandidates } from "../../../src/ssh/auth/identity.js";
import { KeyCache } from "../../../src/ssh/auth/fast/key-cache.js";
import { realClock } from "../../../src/lib/clock.js";
import { makeTempDir } from "../../support/temp-dir.js";

const temp = makeTempDir("agent-paths");
after(() => temp.remove());

for (const path of [
  "22",
  "0",
  "65536",
  "rel/agent.sock",
  temp.path,
  "x".repeat(5000),
  "a\0b",
  "\0nobody",
  " ",
]) {
  test(`the agent at ${JSON.stringify(path.slice(0, 30))} cannot be reached, and that is all`, async () => {
    const agents = new AgentPool(realClock);
    await assert.rejects(agents.at(path).keys(), AgentError);
    const found = await findCandidates(
      {
        ...{ keyFiles: [], configFiles: [], configFilesNamed: false, certificateFiles: [] },
        ...{ agentSocket: path, identitiesOnly: false },
      },
      { agents, keys: new KeyCache(realClock) },
    );
    assert.deepEqual(found.keys, []);
    assert.equal(found.skipped.length, 1);
    assert.equal(found.localLimit, undefined);
    agents.close();
  });
}

test("an empty path is no agent: nothing is asked, nothing is missed", async () => {
  const agents = new AgentPool(realClock);
  const found = await findCandidates(
    {
      ...{ keyFiles: [], configFiles: [], configFilesNamed: false, certificateFiles: [] },
      ...{ agentSocket: "", identitiesOnly: false },
    },
    { agents, keys: new KeyCache(realClock) },
  );
  assert.deepEqual(found, { keys: [], skipped: [] });
});

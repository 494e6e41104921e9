import assert from "node:assert/strict";
import test from "node:test";
import { connect, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { missing, startSshd } from "../../support/sshd.js";

const skip = missing ?? false;

test("a session runs commands and reports their ends", { skip }, async (t) => {
  const server = await startSshd();
  t.after(() => server.stop());
  const shared = testShared();
  const plan = testPlan(
    { port: server.port, user: server.user },
    { keyFiles: [server.userKey.file], knownHostsFile: server.knownHostsFile },
  );
  const connection = await connect(plan, shared);
  assert.equal(connection.client, "ssh2");
  assert.deepEqual(await run(connection, "echo out; echo err >&2; exit 3"), {
    stdout: "out\n",
    stderr: "err\n",
    end: { kind: "exit", code: 3 },
  });
  assert.deepEqual((await run(connection, "kill -9 $$")).end, { kind: "signal", signal: "SIGKILL" });
  assert.equal((await run(connection, "read -r line; echo got $line", "hello\n")).stdout, "got hello\n");
  await connection.close();
});

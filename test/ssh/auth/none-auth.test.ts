/** Servers that let in by `none`, or count what is refused: who comes in, and with how many requests, is as with ssh. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { TestContext } from "node:test";
import ssh2 from "ssh2";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { startAgent } from "../../support/agent.js";
import { connect, failureOf, run } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { makeKey } from "../../support/ssh-key.js";
import { missing, startSshd } from "../../support/sshd.js";
import { makeTempDir } from "../../support/temp-dir.js";

const skip = missing ?? false;

interface Rules {
  readonly ident: string;
  /** `none` is let in, or answered with these methods. */
  readonly none: "in" | readonly string[];
  /** Refused keys until it hangs up, with or without a message. */
  readonly most: number;
  readonly farewell?: string;
}

interface Served {
  readonly plan: HostPlan;
  /** The methods that were tried, in order. */
  readonly asked: string[];
}

/** An SSH server with an agent of `keys` keys, none of which it takes. */
async function serve(t: TestContext, rules: Rules, keys: number): Promise<Served> {
  const temp = makeTempDir("none");
  t.after(() => temp.remove());
  const hostKey = makeKey(join(temp.path, "host"));
  const agent = await startAgent();
  t.after(() => agent.stop());
  for (let i = 0; i < keys; i++) agent.add(makeKey(join(temp.path, `key${i}`)));
  const asked: string[] = [];
  const server = new ssh2.Server({ hostKeys: [readFileSync(hostKey.file)], ident: rules.ident }, (client) => {
    let bad = 0;
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      asked.push(context.method);
      if (context.method === "none") {
        if (rules.none === "in") context.accept();
        else context.reject([...rules.none] as ssh2.AuthenticationType[]);
        return;
      }
      bad += 1;
      if (bad < rules.most) context.reject(["publickey"]);
      else client.end();
    });
    client.on("ready", () =>
      client.on("session", (accept) =>
        accept().on("exec", (acceptExec) => {
          const channel = acceptExec();
          channel.write("in\n");
          channel.exit(0);
          channel.end();
        }),
      ),
    );
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  t.after(() => server.close());
  const known = join(temp.path, "known_hosts");
  const [type, base64] = hostKey.publicLine.split(" ");
  writeFileSync(known, `[127.0.0.1]:${port} ${type} ${base64}\n`);
  return { asked, plan: testPlan({ port, identityAgent: agent.socket }, { knownHostsFile: known }) };
}

for (const ident of ["Tailscale", "OpenSSH_9.6p1"]) {
  test(`eight keys in the agent lock nobody out who needs none: ${ident}`, async (t) => {
    const { plan, asked } = await serve(t, { ident, none: "in", most: 6 }, 8);
    const connection = await connect(plan, testShared());
    assert.equal((await run(connection, "true")).stdout, "in\n");
    await connection.close();
    assert.deepEqual(asked, ["none"]);
  });

  test(`one key that a server would hang up for is not shown before \`none\`: ${ident}`, async (t) => {
    const { plan, asked } = await serve(t, { ident, none: "in", most: 1 }, 1);
    await (await connect(plan, testShared())).close();
    assert.deepEqual(asked, ["none"]);
  });

  test(`a server that names no publickey is shown no key: ${ident}`, async (t) => {
    const { plan, asked } = await serve(t, { ident, none: ["keyboard-interactive"], most: 6 }, 2);
    const failure = await failureOf(plan, testShared());
    assert.equal(failure.code, "auth-failed");
    assert.match(failure.message, /takes no keys \(it takes: keyboard-interactive\)/);
    assert.equal(failure.fix, undefined);
    assert.deepEqual(asked, ["none"]);
  });

  test(`a server that hangs up after so many keys refused the keys, not the account: ${ident}`, async (t) => {
    const { plan, asked } = await serve(t, { ident, none: ["publickey"], most: 3 }, 8);
    const failure = await failureOf(plan, testShared());
    assert.equal(failure.code, "auth-failed");
    assert.match(failure.message, /hung up after it refused 2 keys of ours/);
    assert.equal(asked.length, 4);
  });
}

test(
  "sshd gets `none` and the first key in one round trip, and one answer less than MaxAuthTries",
  { skip },
  async (t) => {
    const server = await startSshd({ config: ["MaxAuthTries 2", "LogLevel DEBUG1"] });
    t.after(() => server.stop());
    const wrong = makeKey(join(server.dir, "wrong"));
    const plan = testPlan(
      { port: server.port, user: server.user },
      { keyFiles: [wrong.file, server.userKey.file], knownHostsFile: server.knownHostsFile },
    );
    // The first request is not counted when it is `none` (auth2.c): two keys may follow.
    await (await connect(plan, testShared())).close();
    const methods = [...server.log().matchAll(/userauth-request for user \S+ service \S+ method (\S+)/g)];
    assert.deepEqual(
      methods.map((found) => found[1]),
      ["none", "publickey", "publickey"],
    );
  },
);

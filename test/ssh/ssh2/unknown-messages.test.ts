/** Messages that we do not know are answered as RFC 4253, section 11.4 asks, with the number of their packet. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import ssh2 from "ssh2";
import { makeEmbeddedKey } from "../../../src/ssh/ssh2/embedded-server.js";
import { sendPacket, type Protocol } from "../../../src/ssh/ssh2/internals.js";
import { connect } from "../../support/connected.js";
import { testPlan, testShared } from "../../support/host-plan.js";
import { waitFor } from "../../support/processes.js";
import { makeTempDir } from "../../support/temp-dir.js";

test("each is answered once, and the session goes on, compressed or not", async (t) => {
  const temp = makeTempDir("unknown");
  t.after(() => temp.remove());
  const [host, user] = [await makeEmbeddedKey(), await makeEmbeddedKey()];
  const keyFile = join(temp.path, "user");
  writeFileSync(keyFile, user.private, { mode: 0o600 });
  for (const compress of ["none", "zlib@openssh.com"] as const) {
    const refused: number[] = [];
    const served: ssh2.Connection[] = [];
    const server = new ssh2.Server(
      {
        hostKeys: [host.private],
        algorithms: { compress: [compress] },
        debug: (line) => {
          const number = /Received UNIMPLEMENTED \(seqno (\d+)\)/.exec(line)?.[1];
          if (number !== undefined) refused.push(Number(number));
        },
      },
      (client) => {
        served.push(client);
        client.on("error", () => undefined).on("authentication", (context) => context.accept());
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const knownHostsFile = join(temp.path, "known_hosts");
    writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${host.public}\n`);
    const shared = testShared();
    const connection = await connect(testPlan({ port }, { keyFiles: [keyFile], knownHostsFile }), shared);
    const protocol = Reflect.get(served[0] ?? {}, "_protocol") as Protocol;
    const { outSeqno: first } = protocol._cipher as unknown as { readonly outSeqno: number };
    for (const type of [200, 50, 255]) sendPacket(protocol, Buffer.from([type, 1, 2, 3]));
    await waitFor("three answers", () => refused.length === 3);
    assert.deepEqual(refused, [first, first + 1, first + 2], compress);
    await connection.close();
    shared.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

/**
 * The inner parts of ssh2 that are relied on are in the version that is installed, each when it is needed. `npm run
 * check-ssh2` runs this file with other versions: its messages name what breaks.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import ssh2 from "ssh2";
import {
  makeEmbeddedKey,
  startEmbeddedServer,
  type EmbeddedServer,
} from "../../../src/ssh/ssh2/embedded-server.js";
import { INNER_PARTS, isThere, type InnerPart } from "../../../src/ssh/ssh2/inner-parts.js";

let server: EmbeddedServer;
const missing: Record<InnerPart["from"], readonly InnerPart[]> = { connect: [], exchange: [], login: [] };

const missingOf = (client: object, from: InnerPart["from"]): readonly InnerPart[] =>
  INNER_PARTS.filter((part) => part.from === from && !isThere(client, part));

before(async () => {
  const [host, user] = [await makeEmbeddedKey(), await makeEmbeddedKey()];
  server = await startEmbeddedServer({ hostKey: host.private, authorizedKey: user.public, env: {} });
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.on("error", reject);
    client.on("ready", resolve);
    client.connect({
      host: "127.0.0.1",
      port: server.port,
      username: "watcher",
      privateKey: user.private,
      algorithms: { kex: ["curve25519-sha256"], compress: ["zlib@openssh.com"] },
      hostVerifier: () => {
        missing.exchange = missingOf(client, "exchange");
        return true;
      },
    });
    missing.connect = missingOf(client, "connect");
  });
  missing.login = [...missingOf(client, "login"), ...missingOf(client, "connect")];
  client.end();
});
after(() => server.close());

describe(`ssh2`, () => {
  for (const part of INNER_PARTS)
    test(`has ${part.path} (${part.shape}), for ${part.need}`, () => {
      const isMissing = Object.values(missing).some((parts) => parts.includes(part));
      assert.ok(
        !isMissing,
        `src/ssh/ssh2/${part.usedIn} breaks: no ${part.shape} ${part.path} at ${part.from}`,
      );
    });

  test("a part that is not there is found to be missing", () => {
    const [any] = INNER_PARTS;
    assert.ok(any !== undefined);
    for (const client of [{}, { _protocol: null }, { _protocol: { _handlers: {} } }])
      assert.ok(!isThere(client, any));
    assert.ok(
      !isThere({ _protocol: { _authsQueue: {} } }, { ...any, path: "_protocol._authsQueue", shape: "array" }),
    );
  });

  test("parsed keys have the methods that the fast check replaces", async () => {
    const key = ssh2.utils.parseKey((await makeEmbeddedKey()).public);
    assert.ok(!(key instanceof Error));
    const shared: unknown = Object.getPrototypeOf(key);
    assert.ok(typeof shared === "object" && shared !== null);
    for (const name of ["getPublicSSH", "verify"])
      assert.equal(typeof Reflect.get(shared, name), "function", `fast/curve25519.ts breaks: no ${name}`);
  });
});

test("the list has every private name that the sources use", () => {
  const listed = new Set(INNER_PARTS.flatMap(({ path }) => path.split(".")));
  const folder = new URL("../../../src/ssh/ssh2/", import.meta.url);
  for (const file of new Set(INNER_PARTS.map(({ usedIn }) => usedIn))) {
    const text = readFileSync(fileURLToPath(new URL(file, folder)), "utf8").replace(
      /\/\*[^]*?\*\/|\/\/.*/g,
      "",
    );
    const names = [...text.matchAll(/[."]\b(_[a-z]\w+)|^ {2}(?:readonly )?(_[a-z]\w+):/gm)].map(
      ([, used, declared]) => used ?? declared ?? "",
    );
    assert.ok(names.length > 0, file);
    // `_queue` is made by us where it is not there.
    for (const name of names) assert.ok(listed.has(name) || name === "_queue", `${file}: ${name}`);
  }
});

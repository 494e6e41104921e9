import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/ssh/config/config-error.js";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import { parseJump } from "../../../src/ssh/config/jump.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { resolveHost } from "../../../src/ssh/config/resolve.js";
import { resolveRoute } from "../../../src/ssh/config/route.js";
import { fakeEnvironment } from "./fake-environment.js";

async function route(config: string): Promise<readonly HostConfig[]> {
  const environment = fakeEnvironment({ files: { "/c": config } });
  const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
  const target = await resolveHost({ host: "target" }, {}, loaded, environment);
  return resolveRoute(target, {}, loaded, environment);
}

const shown = ({ user, hostname, port, proxy }: HostConfig): string =>
  `${user}@${hostname}:${port} ${proxy.kind}`;

describe("the way to a host", () => {
  test("none without a jump", async () => {
    assert.deepEqual(await route("Port 7\n"), []);
  });

  test("each hop goes through the configuration; the chain replaces the jumps of all but the first", async () => {
    const hops = await route(
      "Host target\nProxyJump a,bob@b:77,c\nHost a\nHostName a.lan\nProxyJump z\nHost b c\nUser hop\nPort 9\nProxyCommand never\nHost z\nProxyCommand nc %h\n",
    );
    assert.deepEqual(hops.map(shown), [
      "me@z:22 command",
      "me@a.lan:22 jump",
      "bob@b:77 jump",
      "hop@c:9 jump",
    ]);
  });

  test("flags for the target are not taken along, but the user's options are", async () => {
    const environment = fakeEnvironment({ files: { "/c": "Host target\nProxyJump j\n" } });
    const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
    const target = await resolveHost({ host: "target", user: "x", port: 5 }, {}, loaded, environment);
    const [hop] = await resolveRoute(target, { options: ["ConnectTimeout=3"] }, loaded, environment);
    assert.deepEqual([hop?.user, hop?.port, hop?.connectTimeoutSecs], ["me", 22, 3]);
  });

  test("a route in a circle is refused", async () => {
    await assert.rejects(route("Host target b\nProxyJump a\nHost a\nProxyJump b\n"), ConfigError);
  });
});

describe("ProxyJump text", () => {
  for (const [text, hops] of [
    ["a", [{ host: "a" }]],
    ["u@v@a:ssh", [{ user: "u@v", host: "a", port: 22 }]],
    ["ssh://u%40x;k=v@[10.0.0.1]:2/,b", [{ user: "u@x", host: "10.0.0.1", port: 2 }, { host: "b" }]],
    ["[::1]:3 # c", [{ host: "::1", port: 3 }]],
    ["a:0", null],
    ["a,,b", null],
    ["@a", null],
    ["ssh://a/path", null],
    ["ssh://@a", null],
  ] as const) {
    test(text, () => {
      const jump = parseJump(text, (name) => (name === "ssh" ? 22 : null));
      assert.deepEqual(jump?.kind === "via" ? jump.hops : null, hops);
    });
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseTarget, targetKey } from "../../src/targets/parse-target.js";

describe("parseTarget reads", () => {
  const cases: [text: string, user: string | undefined, host: string, port: number | undefined][] = [
    ["dgx-01", undefined, "dgx-01", undefined],
    ["admin@dgx-01", "admin", "dgx-01", undefined],
    ["admin@dgx-01:2222", "admin", "dgx-01", 2222],
    ["dgx-01:1", undefined, "dgx-01", 1],
    ["dgx-01:65535", undefined, "dgx-01", 65535],
    ["[::1]", undefined, "::1", undefined],
    ["root@[2001:db8::7]:22", "root", "2001:db8::7", 22],
    ["[fe80::1%eth0]:2200", undefined, "fe80::1%eth0", 2200],
    ["ssh://admin@dgx-01:2222", "admin", "dgx-01", 2222],
    ["ssh://admin@dgx-01:2222/", "admin", "dgx-01", 2222],
    ["SSH://[::1]:2222", undefined, "::1", 2222],
    ["ssh://a%40b@host", "a@b", "host", undefined],
    ["first@last@host", "first@last", "host", undefined],
    ["DOMAIN\\user@host", "DOMAIN\\user", "host", undefined],
    ["007", undefined, "007", undefined],
    ["1e3", undefined, "1e3", undefined],
    ["gpu_box.example.org.", undefined, "gpu_box.example.org.", undefined],
    ["машина", undefined, "машина", undefined],
  ];
  for (const [text, user, host, port] of cases) {
    test(text, () => {
      const parsed = parseTarget(text, "--ssh");
      assert.equal(parsed.kind, "target");
      const { target } = parsed;
      assert.deepEqual([target.user, target.host, target.port], [user, host, port]);
      assert.equal(target.origin, "--ssh");
      assert.deepEqual(target.labels, {});
    });
  }
});

describe("parseTarget refuses", () => {
  const cases: [text: string, why: RegExp][] = [
    ["", /empty target; write \[user@\]host\[:port\]/],
    ["@host", /no user before the @/],
    ["user@", /no host/],
    ["-oProxyCommand=id", /starts with "-"/],
    ["user@-host", /starts with "-"/],
    ["-l@host", /user name that ssh refuses/],
    ["user;id@host", /user name that ssh refuses/],
    ["$(id)@host", /user name that ssh refuses/],
    ["host;reboot", /no host name holds/],
    ["$(id)", /no host name holds/],
    ["`id`", /no host name holds/],
    ["a b", /no host name holds/],
    ["a|b", /no host name holds/],
    ["a,b", /no host name holds/],
    ["host/path", /no host name holds/],
    ["host:", /port from 1 to 65535/],
    ["host:0", /port from 1 to 65535/],
    ["host:65536", /port from 1 to 65535/],
    ["host:22x", /port from 1 to 65535/],
    ["host:1e3", /port from 1 to 65535/],
    ["host:-1", /port from 1 to 65535/],
    ["[::1]:", /port from 1 to 65535/],
    ["::1", /IPv6 address in brackets: \[::1\]/],
    ["2001:db8::7:22", /IPv6 address in brackets/],
    ["[host]", /not an IPv6 address in brackets/],
    ["[::1", /not an IPv6 address in brackets/],
    ["[::1]x", /not an IPv6 address in brackets/],
    ["ho\u001b[31mst", /control character/],
    ["ho\u202est", /control character/],
    ["h".repeat(256), /longer than 255/],
    ["ssh://user:%zz@host", /user name that ssh refuses/],
  ];
  for (const [text, why] of cases) {
    test(JSON.stringify(text).slice(0, 40), () => {
      const parsed = parseTarget(text, "--ssh");
      assert.equal(parsed.kind, "problem");
      assert.match(parsed.problem, why);
      assert.doesNotMatch(parsed.problem, /[\u0000-\u001f]/);
    });
  }
});

test("any text gives a target that is safe on a command line, or a problem", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string()), (text) => {
      const parsed = parseTarget(text, "--ssh");
      if (parsed.kind === "problem") {
        assert.doesNotMatch(parsed.problem, /[\u0000-\u001f\u007f-\u009f]/);
        return;
      }
      const { host, user, port } = parsed.target;
      assert.doesNotMatch(host, /^-|[\s'"`$\\;&<>|(){}\u0000-\u001f]/);
      assert.doesNotMatch(user ?? "", /^-|[\s'"`$;&<>|(){}\u0000-\u001f]/);
      assert.ok(port === undefined || (port >= 1 && port <= 65535));
    }),
    { numRuns: 2000 },
  );
});

test("what is written out is read back", () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const user = fc.option(fc.stringMatching(/^[a-z_][a-z0-9_-]{0,12}$/), { nil: undefined });
  const port = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
  fc.assert(
    fc.property(host, user, port, (h, u, p) => {
      const typed = targetKey({
        host: h,
        ...(u === undefined ? {} : { user: u }),
        ...(p === undefined ? {} : { port: p }),
        labels: {},
        origin: "",
      });
      const parsed = parseTarget(typed, "x");
      assert.equal(parsed.kind, "target");
      assert.deepEqual([parsed.target.user, parsed.target.port], [u, p]);
      assert.equal(parsed.target.host, h.toLowerCase());
    }),
  );
});

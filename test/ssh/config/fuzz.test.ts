/** Whatever stands in a file, resolving gives a HostConfig or a ConfigError, and comes to an end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../../../src/ssh/config/config-error.js";
import { KEYWORDS } from "../../../src/ssh/config/keywords.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { resolveHost } from "../../../src/ssh/config/resolve.js";
import { fakeEnvironment } from "./fake-environment.js";
import { propertyRuns } from "../../support/property-runs.js";

/** Set SSH_CONFIG_FUZZ for more. */
const RUNS = Number(process.env["SSH_CONFIG_FUZZ"] ?? propertyRuns(20_000));

const keyword = fc.constantFrom("Match", "Include", ...KEYWORDS.keys());
const piece = fc.constantFrom(
  " ",
  "\t",
  "=",
  '"',
  "'",
  "\\",
  "#",
  "%",
  "%h",
  "%%",
  "${A}",
  "${",
  "$",
  "~",
  "~/",
  "~x",
  "*",
  "?",
  "!",
  ",",
  ":",
  "/",
  "[",
  "]",
  "@",
  "+",
  "-",
  "^",
  "\0",
  "\r",
  "\f",
  "é",
  "\u{1f600}",
  "\ud800",
  "none",
  "yes",
  "no",
  "ask",
  "all",
  "host",
  "final",
  "exec",
  "user",
  "tagged",
  "localnetwork",
  "10.0.0.0/8",
  "::1",
  "ssh://",
  "1h",
  "99999999999999999999",
  "-1",
  "1.5G",
  "foo",
  "self",
  "a.b",
  "toString",
  "__proto__",
);
const soup = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(keyword, fc.constantFrom(" ", "=", "\t"), soup).map((parts) => parts.join("")),
  },
  { weight: 2, arbitrary: soup },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 24 }) },
);
const text = fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n"));
const host = fc.constantFrom("foo", "FOO", "::1", "127.1", "a.b.", "host", "é");

test(`${RUNS} arbitrary configurations`, { timeout: 600_000 }, async (context) => {
  const counts = { resolved: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(text, host, async (config, typed) => {
      const environment = fakeEnvironment({
        files: { "/c": config, "/home/me/.ssh/foo": config },
        env: { A: "a" },
      });
      try {
        const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
        const { port, hostname } = await resolveHost({ host: typed }, {}, loaded, environment);
        assert.ok(port > 0 && typeof hostname === "string");
        counts.resolved++;
      } catch (error) {
        assert.ok(error instanceof ConfigError, `threw ${String(error)}`);
        assert.ok(error.details.length > 0);
        counts.refused++;
      }
    }),
    { numRuns: RUNS },
  );
  context.diagnostic(`${counts.resolved} resolved, ${counts.refused} refused with a ConfigError`);
  assert.ok(counts.resolved > RUNS / 20 && counts.refused > RUNS / 20);
});

test("text made to be slow comes to an end", { timeout: 60_000 }, async () => {
  const long = 200_000;
  const nasty = [
    `Host ${"*a".repeat(500)}`,
    `Match host ${"*a".repeat(400)},${"?*".repeat(400)}`,
    `User ${'"'.repeat(long)}`,
    `User ${"\\".repeat(long)}`,
    `Port${" ".repeat(long)}22`,
    `Port 22${" ".repeat(long)}#`,
    `${" ".repeat(long)}Port 22`,
    `Port${"=".repeat(long)}`,
    `ProxyJump ${"a,".repeat(long / 2)}a`,
    `ProxyJump ${"@".repeat(long)}a`,
    `ConnectTimeout ${"1s".repeat(long / 2)}`,
    `RekeyLimit ${"9".repeat(long)}`,
    `SendEnv ${"a ".repeat(long / 2)}`,
    `LocalForward ${":".repeat(long)} a:1`,
    `UserKnownHostsFile ${"${A}".repeat(long / 4)}`,
    `CanonicalDomains ${"a.".repeat(long / 2)}b`,
    `HostKeyAlgorithms ${"*a".repeat(500)}`,
    `Include ${"*".repeat(1000)}x`,
  ];
  let ended = 0;
  for (const config of nasty) {
    const environment = fakeEnvironment({ files: { "/c": config }, env: { A: "a" } });
    try {
      const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
      await resolveHost({ host: "a".repeat(300) }, {}, loaded, environment);
    } catch (error) {
      assert.ok(error instanceof ConfigError, `threw ${String(error)}`);
    }
    ended++;
  }
  assert.equal(ended, nasty.length);
});

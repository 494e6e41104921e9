/**
 * No host or user name of a command line or hostfile reaches a shell by %h, %n or %r (CVE-2023-51385): each is refused at
 * two doors, before a `Match exec` has run. What passes both has nothing that a shell acts on. Labels are data.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../src/ssh/config/config-error.js";
import { loadConfig } from "../../src/ssh/config/load.js";
import { resolveHost, type TypedTarget } from "../../src/ssh/config/resolve.js";
import { parseHostfile } from "../../src/targets/hostfile.js";
import { parseTarget } from "../../src/targets/parse-target.js";
import { fakeEnvironment } from "../ssh/config/fake-environment.js";
import { NO_LOOKUPS } from "../support/no-lookups.js";

/** Each in the place of a name: what a shell would run, split, expand or take for a flag. */
const HOSTILE = [
  "$(reboot)",
  "`reboot`",
  "a;reboot",
  "a|reboot",
  "a&reboot",
  "a>file",
  "a<file",
  "'a'",
  'a"b',
  "${HOME}",
  "(reboot)",
  "{a,b}",
  "-oProxyCommand=reboot",
  "a\nreboot",
  "a\treboot",
] as const;

/** Only for hosts: OpenSSH takes these in a user name. */
const HOSTILE_HOSTS = [...HOSTILE, "a b", "a\\b", "a,b", "a\u007fb"];

/** Every directive that hands a name to a shell, and the tokens that have one in them. */
const CONFIG = [
  'Match exec "check %h %n %r %C %u"',
  "  Port 23",
  "Host *",
  "  PermitLocalCommand yes",
  "  LocalCommand log %h %n %r",
  "  ProxyCommand nc %h %p %n %r",
  "",
].join("\n");

async function resolved(target: TypedTarget): Promise<{ readonly commands: readonly string[] }> {
  const environment = fakeEnvironment({ files: { "/home/me/.ssh/config": CONFIG } });
  try {
    const loaded = await loadConfig({ kind: "default" }, environment);
    const { proxy } = await resolveHost(target, {}, loaded, environment);
    const commands = proxy.kind === "command" ? [proxy.command] : [];
    return { commands: [...environment.executed, ...commands] };
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, /contains invalid characters/);
    return { commands: environment.executed };
  }
}

describe("the command line and the hostfile refuse", () => {
  for (const name of HOSTILE_HOSTS)
    test(`the host ${JSON.stringify(name)}`, async () => {
      assert.equal(parseTarget(name, "--ssh").kind, "problem");
      const { targets, problems } = await parseHostfile(`good\n${name}\n`, "h", NO_LOOKUPS);
      assert.ok(problems.length > 0 || targets.every(({ host }) => !/[$`;|&<>'"(){}\\,\t]|^-/.test(host)));
    });
  for (const name of HOSTILE)
    test(`the user ${JSON.stringify(name)}`, () => {
      assert.equal(parseTarget(`${name}@host`, "--ssh").kind, "problem");
      assert.equal(parseTarget(`ssh://${encodeURIComponent(name)}@host`, "--ssh").kind, "problem");
    });
});

describe("the configuration refuses, before anything is run", () => {
  for (const host of HOSTILE_HOSTS)
    test(`the host ${JSON.stringify(host)}`, async () => {
      assert.deepEqual(await resolved({ host }), { commands: [] });
    });
  // A line end inside a user name is refused at the first door alone, as in ssh.
  for (const user of HOSTILE.filter((name) => !/[$\n\t]/.test(name) || name.includes("(")))
    test(`the user ${JSON.stringify(user)}`, async () => {
      assert.deepEqual(await resolved({ host: "host", user }), { commands: [] });
    });
  test("and hands an honest name on, so that the cases above mean something", async () => {
    const { commands } = await resolved({ host: "gpu-1.example", user: "DOMAIN\\ada" });
    assert.equal(commands.length, 2);
    assert.match(commands[0] ?? "", /^check gpu-1\.example gpu-1\.example DOMAIN\\ada [0-9a-f]{40} me$/);
    assert.equal(commands[1], "nc gpu-1.example 22 gpu-1.example DOMAIN\\ada");
  });
});

test("labels are data: no token has them, and any text is one", async () => {
  const { targets, problems } = await parseHostfile('host a="$(reboot)" b="%h;`x`"\n', "h", NO_LOOKUPS);
  assert.deepEqual(problems, []);
  assert.deepEqual(targets[0]?.labels, { a: "$(reboot)", b: "%h;`x`" });
  const { commands } = await resolved({ host: targets.map(({ host }) => host).join() });
  assert.equal(commands.length, 2);
  assert.ok(commands.every((command) => !command.includes("reboot")));
});

/** Hosts from ClusterShell's groups, ssh_config, inventories and programs, as the command line takes them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { UsageError } from "../../src/contract/errors.js";
import type { Target } from "../../src/contract/target.js";
import { parseTarget, targetKey } from "../../src/targets/parse-target.js";
import { expandHostlist } from "../../src/index.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("hosts-from");
after(() => temp.remove());
const file = (name: string, text: string, mode = 0o644): string => {
  const path = join(temp.path, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const env = { ...process.env, HOME: temp.path, CLUSTERSHELL_CFGDIR: join(temp.path, "cs") };
file(
  "cs/groups.conf",
  `[Main]
default: here
confdir: $CFGDIR/more
autodir: $CFGDIR/groups.d
[here]
map: sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $CFGDIR/local.cfg
list: sed -n 's/^\\([0-9A-Za-z_-]*\\):.*/\\1/p' $CFGDIR/local.cfg
[broken]
map: echo no such table >&2; exit 3
`,
);
file("cs/local.cfg", "gpu: dgx-[01-03] v100-1\nold: v100-[1-2]\nall: one\n");
file("cs/more/x.conf", "[extra]\nmap: echo $SOURCE-$GROUP-[1-2]\nall: echo extra-1,extra-2\n");
file(
  "cs/groups.d/racks.yaml",
  "racks:\n    # by room\n    r1: 'n[1-2]'\n    r2:\n        - n3 # spare\n        - 'n4,n5'\n    new: '@r2!n4'\n",
);

async function targets(...args: readonly string[]): Promise<readonly Target[]> {
  const command = await parseArgv(args, (path) => readFile(path, "utf8"), env);
  assert.equal(command.kind, "run");
  assert.equal(command.options.source.kind, "targets");
  return command.options.source.targets;
}
const names = async (...args: readonly string[]): Promise<readonly string[]> =>
  (await targets(...args)).map(targetKey);
async function problems(...args: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await targets(...args).catch((reason: unknown) => reason);
  assert.ok(error instanceof UsageError, `accepted: ${args.join(" ")}`);
  return error.problems;
}

describe("a hostlist of the library", () => {
  const hostsOf = (text: string): Promise<readonly string[]> =>
    expandHostlist(text, { env, configFile: "none" });
  const cases: [text: string, expected: string][] = [
    ["Me@DGX-[01-03]:2222,^dgx-02", "Me@DGX-01:2222 Me@DGX-03:2222"],
    ["@gpu,dgx-01,[fe80::1]:22", "dgx-01 dgx-02 dgx-03 v100-1 [fe80::1]:22"],
    ["one", "one"],
  ];
  for (const [text, expected] of cases)
    test(text, async () => {
      const hosts = await hostsOf(text);
      assert.equal(hosts.join(" "), expected);
      // watch() takes each of them.
      for (const host of hosts) assert.equal(parseTarget(host, "").kind, "target");
    });
  test("that is wrong is one UsageError with every problem", async () => {
    await assert.rejects(hostsOf("@nope,gpu-*,a:0"), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.problems.length, 3);
      return true;
    });
    await assert.rejects(hostsOf("a,^a"), /no host is left/);
  });
});

describe("groups of ClusterShell", () => {
  const cases: [text: string, expected: string][] = [
    ["@gpu", "dgx-01 dgx-02 dgx-03 v100-1"],
    ["@gpu!@old", "dgx-01 dgx-02 dgx-03"],
    ["@*", "dgx-01 dgx-02 dgx-03 v100-1 v100-2 one"],
    ["@extra:a", "extra-a-1 extra-a-2"],
    ["@extra:*", "extra-1 extra-2"],
    ["@racks:r[1-2]", "n1 n2 n3 n4 n5"],
    ["@racks:new", "n3 n5"],
    ["@racks:*", "n1 n2 n3 n4 n5"],
  ];
  for (const [text, expected] of cases) {
    test(text, async () =>
      assert.deepEqual([...(await names("--ssh", text))].sort(), expected.split(" ").sort()),
    );
    const nodeset = spawnSync("nodeset", ["-e", text], { env, encoding: "utf8" });
    test(`${text} as nodeset`, { skip: nodeset.error !== undefined && "SKIPPED LOUDLY: no nodeset" }, () => {
      assert.deepEqual(nodeset.stdout.trim().split(" ").sort(), expected.split(" ").sort(), nodeset.stderr);
    });
  }
  test("a command that fails, an unknown source and a name for a shell are wrong usage", async () => {
    assert.match(
      (await problems("@broken:a"))[0] ?? "",
      /group source broken ended with exit code 3: no such table/,
    );
    assert.match((await problems("@nosuch:a"))[0] ?? "", /has no group source nosuch/);
    assert.match((await problems("@a$(id)"))[0] ?? "", /is no group name/);
  });
  test("a group stands in a hostfile, with labels", async () => {
    const [first, second] = await targets("--ssh-hostfile", file("g.txt", "@racks:r1 rack=r1\n^n1\n"));
    assert.deepEqual([first?.host, first?.labels, second], ["n2", { rack: "r1" }, undefined]);
  });
});

test("patterns are Host entries of ssh_config, Include followed; without a match it is wrong usage", async () => {
  const more = file("more.conf", "Host gpu-3 web-1\n");
  const config = file("ssh.conf", `Host gpu-1 gpu-2 !gpu-9\n  Port 7\nHost gpu-*\n  Include ${more}\n`);
  assert.deepEqual(await names("--ssh-config", config, "gpu-*"), ["gpu-1", "gpu-2", "gpu-3"]);
  assert.deepEqual(await names("--ssh-config", config, "u@gpu-?:22", "^gpu-2"), ["u@gpu-1:22", "u@gpu-3:22"]);
  assert.match((await problems("--ssh-config", config, "zpu-*"))[0] ?? "", /"zpu-\*" matches no Host entry/);
});

describe("--ssh-from", () => {
  test("ansible: an INI inventory, selected by its labels", async () => {
    const inventory = file("hosts.ini", "[gpu]\ndgx-[01:02] ansible_user=admin\n[cpu]\nweb-1\n");
    assert.deepEqual(await names("--ssh-from", `ansible:${inventory}`, "--select", "groups=gpu"), [
      "admin@dgx-01",
      "admin@dgx-02",
    ]);
  });
  test("ansible: an executable, a JSON file, and YAML by ansible-inventory", async () => {
    const json = '{"gpu":{"hosts":["a"]},"_meta":{"hostvars":{"a":{"ansible_port":7}}}}';
    const program = file("dynamic", `#!/bin/sh\n[ "$1" = --list ] && echo '${json}'\n`, 0o755);
    assert.deepEqual(await names("--ssh-from", `ansible:${program}`), ["a:7"]);
    assert.deepEqual(await names("--ssh-from", `ansible:${file("inv.json", json)}`), ["a:7"]);
    file("bin/ansible-inventory", `#!/bin/sh\n[ "$1" = -i ] && [ "$3" = --list ] && echo '${json}'\n`, 0o755);
    const yaml = file("inv.yml", "all:\n  hosts:\n    a:\n");
    const path = `${join(temp.path, "bin")}:${process.env["PATH"] ?? ""}`;
    const found = await parseArgv(["--ssh-from", `ansible:${yaml}`], (each) => readFile(each, "utf8"), {
      ...env,
      PATH: path,
    });
    assert.ok(found.kind === "run" && found.options.source.kind === "targets");
    assert.deepEqual(found.options.source.targets.map(targetKey), ["a:7"]);
    const without = await parseArgv(["--ssh-from", `ansible:${yaml}`], (each) => readFile(each, "utf8"), {
      ...env,
      PATH: "/none",
    }).catch((error: unknown) => error);
    assert.match(String((without as UsageError).problems), /is a YAML inventory .* install Ansible, or give/);
  });
  test("exec: a program that prints hostfile lines", async () => {
    const program = file("hosts.sh", "#!/bin/sh\necho 'dgx-[1-2] rack=r1'\necho 'web-1 rack=r2'\n", 0o755);
    assert.deepEqual(await names("--ssh-from", `exec:${program}`, "--select", "rack!=r2"), [
      "dgx-1",
      "dgx-2",
    ]);
    const [bad = ""] = await problems(
      "--ssh-from",
      `exec:${file("bad.sh", "#!/bin/sh\necho 'a:0'\n", 0o755)}`,
    );
    assert.match(bad, /bad\.sh:1: "a:0" has no valid port/);
  });
  test("a program that fails, and an unknown kind, are wrong usage", async () => {
    const program = file("fails.sh", "#!/bin/sh\necho no token >&2\nexit 4\n", 0o755);
    assert.match(
      (await problems("--ssh-from", `exec:${program}`))[0] ?? "",
      /ended with exit code 4: no token$/,
    );
    assert.match((await problems("--ssh-from", "exec:/no/such"))[0] ?? "", /cannot be started/);
    assert.match((await problems("--ssh-from", "consul:x"))[0] ?? "", /write ansible:FILE or exec:PROGRAM/);
  });
});

test("--select without a match, and ^ for every host, are wrong usage", async () => {
  assert.match((await problems("a", "--select", "rack=r1"))[0] ?? "", /^--select: no host has rack=r1/);
  assert.match((await problems("a", "^a"))[0] ?? "", /^entries with \^ leave out every host/);
});

test("hosts stand anywhere among the flags, and after --", async () => {
  assert.deepEqual(await names("dgx-01", "--once", "dgx-02,dgx-03", "--", "dgx-04"), [
    ...["dgx-01", "dgx-02", "dgx-03", "dgx-04"],
  ]);
});

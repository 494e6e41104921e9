import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FLAGS } from "../../src/cli/flags.js";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { variableOf, variableWarnings } from "../../src/cli/variables.js";
import { UsageError } from "../../src/contract/errors.js";
import type { Options } from "../../src/contract/options.js";

const FILES: Readonly<Record<string, string>> = {
  flags: "# defaults\n--interval=5\n--ssh a,b\n--once\r\n\n--include gpu\n",
  wrong: "--intervall=5\nhost\n--check\n--once=yes\n-qh\n",
  letters: "-n 5\n-wa,b\n-1\n",
};
const readFile = (file: string): Promise<string> => {
  const text = FILES[file];
  return text === undefined ? Promise.reject(new Error("ENOENT")) : Promise.resolve(text);
};
async function options(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Options> {
  const command = await parseArgv(args, readFile, env);
  assert.equal(command.kind, "run");
  return command.options;
}
async function problems(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const error: unknown = await options(env, "a").catch((reason: unknown) => reason);
  assert.ok(error instanceof UsageError);
  return error.problems;
}
const hostsOf = ({ source }: Options): readonly string[] =>
  source.kind === "targets" ? source.targets.map(({ host }) => host) : [source.kind];
const FILE = { ALLSMI_SSH_CONFIG_PATH: "flags" };

describe("flags from a file and the environment", () => {
  test("count where the command line has none", async () => {
    const found = await options({ ...FILE, ALLSMI_SSH_HEALTH: "yes", ALLSMI_SSH_REDACT: "0" });
    assert.deepEqual(
      [found.intervalMs, found.length.kind, hostsOf(found), found.health !== null, found.sample.redact],
      [5000, "once", ["a", "b"], true, false],
    );
  });
  test("may be letters", async () => {
    const found = await options({ ALLSMI_SSH_CONFIG_PATH: "letters" });
    assert.deepEqual([found.intervalMs, found.length.kind, hostsOf(found)], [5000, "once", ["a", "b"]]);
  });
  test("the environment wins over the file, the command line over both", async () => {
    const env = { ...FILE, ALLSMI_SSH_INTERVAL: "6" };
    assert.equal((await options(env)).intervalMs, 6000);
    assert.equal((await options(env, "--interval", "7", "--interval", "8")).intervalMs, 8000);
  });
  test("give way to a flag that excludes them, and to any host", async () => {
    assert.deepEqual((await options(FILE, "--count", "3")).length, { kind: "count", ticks: 3 });
    assert.deepEqual(hostsOf(await options(FILE, "c")), ["c"]);
    assert.deepEqual(hostsOf(await options(FILE, "--demo")), ["demo"]);
    const list = { ALLSMI_SSH_INCLUDE: "cpu,memory" };
    assert.deepEqual([...(await options(list, "a", "--include", "gpu")).sample.include], ["gpu"]);
  });
  test("flags of the command line still exclude each other", async () => {
    await assert.rejects(options({}, "a", "--once", "--count", "3"), UsageError);
  });
  test("wrong ones are wrong usage, with their place", async () => {
    assert.deepEqual(await problems({ ALLSMI_SSH_CONFIG_PATH: "wrong" }), [
      "wrong:1: unknown flag --intervall; did you mean --interval?",
      'wrong:2: "host" is not a flag; write --name=value, and hosts as --ssh=HOSTS',
      "wrong:3: --check: is taken on the command line only",
      "wrong:4: --once: takes no value",
      "wrong:5: --help: is taken on the command line only",
    ]);
    assert.deepEqual(await problems({ ALLSMI_SSH_CONFIG_PATH: "gone" }), [
      "ALLSMI_SSH_CONFIG_PATH: cannot read gone: ENOENT",
    ]);
    assert.match(
      (await problems({ ALLSMI_SSH_ONCE: "maybe" }))[0] ?? "",
      /^ALLSMI_SSH_ONCE: "maybe" is not one of/,
    );
    assert.match((await problems({ ALLSMI_SSH_INTERVAL: "x" }))[0] ?? "", /^--interval: "x" is not a number/);
  });
  test("variables that are no flags, as Kubernetes sets for a service, do nothing", async () => {
    assert.deepEqual(
      hostsOf(await options({ ALLSMI_SSH_PORT: "tcp://10.0.0.1:80", ALLSMI_SSH_X: "" }, "a")),
      ["a"],
    );
  });
  test("variables that are mistyped, and those of flags that are only typed, are warnings", async () => {
    const command = await parseArgv(["a"], readFile, { ALLSMI_SSH_INTERVALL: "5", HOME: "/" });
    assert.equal(command.kind, "run");
    assert.deepEqual(command.warnings, [
      "unknown variable ALLSMI_SSH_INTERVALL has no effect; did you mean ALLSMI_SSH_INTERVAL?",
    ]);
    const meant = (name: string): string | undefined =>
      /did you mean (\w+)\?$/.exec(variableWarnings({ [name]: "1" })[0] ?? "")?.[1];
    for (const [typed, expected] of [
      ["ALLSMI_SSH_KEY", "ALLSMI_SSH_SSH_KEY"],
      ["ALLSMI_SSH_HOST_FILE", "ALLSMI_SSH_SSH_HOSTFILE"],
      ["ALLSMI_SSH_interval", "ALLSMI_SSH_INTERVAL"],
      ["ALLSMI_SSH_DEBGU", "ALLSMI_SSH_DEBUG"],
      ["ALLSMI_SSH_CONFIG", "ALLSMI_SSH_SSH_CONFIG"],
      ["ALLSMI_SSH_TOOL_TIMEOUT", "ALLSMI_SSH_TOOL_TIMEOUT_SECS"],
    ] as const)
      assert.equal(meant(typed), expected, typed);
    assert.deepEqual(variableWarnings({ ALLSMI_SSH_CHECK: "1", ALLSMI_SSH_ZZZZZZ: "1" }), [
      "ALLSMI_SSH_CHECK has no effect: give --check on the command line",
      "unknown variable ALLSMI_SSH_ZZZZZZ has no effect; docs/flags.md has the names",
    ]);
  });
  test("variables that are known, empty or of a service of Kubernetes are no warnings", () => {
    const known = [
      ...FLAGS.map(({ name }) => variableOf(name)),
      "ALLSMI_SSH_DEBUG",
      "ALLSMI_SSH_CONFIG_PATH",
    ];
    const typedOnly = new Set(["ALLSMI_SSH_HELP", "ALLSMI_SSH_VERSION", "ALLSMI_SSH_CHECK"]);
    const service = [
      ...["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_METRICS", "PORT", "PORT_9400_TCP"],
      ...["PORT_9400_TCP_PROTO", "PORT_9400_TCP_PORT", "PORT_9400_TCP_ADDR"],
    ];
    const services = ["ALLSMI_SSH", "ALLSMI_SSH_EXPORTER", "ALLSMI_SSH_EXPORTER_PORT_2"].flatMap((name) =>
      service.map((rest) => `${name}_${rest}`),
    );
    const names = [...known.filter((name) => !typedOnly.has(name)), ...services];
    const env = Object.fromEntries(names.map((name) => [name, "1"]));
    assert.deepEqual(variableWarnings({ ...env, ALLSMI_SSH_X: "" }), []);
  });
  test("a variable that only looks like one of a service is a warning", () => {
    assert.deepEqual(variableWarnings({ ALLSMI_SSH_LISTEN_PORT: "9400" }).length, 1);
    const env = { ALLSMI_SSH_WEB_SERVICE_HOST: "10.0.0.1", ALLSMI_SSH_WEB_PORTS: "1" };
    assert.match(variableWarnings(env).join("\n"), /^unknown variable ALLSMI_SSH_WEB_PORTS [^\n]*$/);
  });
  test("no variable of a flag is one with another meaning", () => {
    const taken = new Set(["ALLSMI_SSH_DEBUG", "ALLSMI_SSH_CONFIG_PATH", "ALLSMI_SSH_PORT"]);
    assert.deepEqual(
      FLAGS.map(({ name }) => variableOf(name)).filter((name) => taken.has(name)),
      [],
    );
  });
});

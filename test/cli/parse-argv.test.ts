import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { FLAGS } from "../../src/cli/flags.js";
import { parseArgv, type ParsedCommand } from "../../src/cli/parse-argv.js";
import { UsageError } from "../../src/contract/errors.js";
import type { Options } from "../../src/contract/options.js";
import { SECTIONS } from "../../src/contract/record.js";
import { FALLBACK_IDS, TOOLS } from "../../src/shims/registry.js";
import { propertyRuns } from "../support/property-runs.js";

const FILES: Readonly<Record<string, string>> = {
  "hosts.txt": "dgx-02\ndgx-01 rack=r1\n",
  "-": "from-stdin\n",
  "bad.txt": "bad:0\nworse:x\n",
};

const readFile = (file: string): Promise<string> => {
  const text = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
  return text === undefined
    ? Promise.reject(new Error(`ENOENT: no such file, open '${file}'`))
    : Promise.resolve(text);
};
function parse(...args: readonly string[]): Promise<ParsedCommand> {
  return parseArgv(args, readFile);
}
async function optionsOf(...args: readonly string[]): Promise<Options> {
  const command = await parse(...args);
  assert.equal(command.kind, "run");
  return command.options;
}
async function problemsOf(...args: readonly string[]): Promise<readonly string[]> {
  const error: unknown = await parse(...args).then(
    () => assert.fail(`accepted: ${args.join(" ")}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UsageError, String(error));
  return error.problems;
}
async function hostsOf(...args: readonly string[]): Promise<readonly string[]> {
  const { source } = await optionsOf(...args);
  assert.equal(source.kind, "targets");
  return source.targets.map((target) => target.host);
}

test("what is not given has the documented default", async () => {
  const { source, sample, ...rest } = await optionsOf("--ssh", "a");
  assert.deepEqual(source, { kind: "targets", targets: [{ host: "a", labels: {}, origin: "--ssh" }] });
  assert.deepEqual([...sample.include], ["gpu", "cpu", "memory", "chassis"]);
  assert.deepEqual(sample.fallback, FALLBACK_IDS);
  assert.equal(sample.toolTimeoutSecs, 10);
  assert.equal(sample.redact, false);
  assert.equal(sample.holdDriver, "auto");
  assert.deepEqual(rest, {
    shard: null,
    ssh: {
      keyFiles: [],
      configFile: null,
      knownHostsFile: null,
      hostKeyPolicy: null,
      timeoutMs: null,
      client: "auto",
      concurrency: 32,
    },
    workers: "auto",
    intervalMs: 2000,
    length: { kind: "endless" },
    format: null,
    csvSections: ["gpu"],
    query: [],
    selection: { rows: "record", only: null, where: [], isCompact: false },
    table: { view: "auto", sort: "host", groupBy: null },
    output: null,
    listen: null,
    color: "auto",
    verbosity: "normal",
    logTime: false,
    stepAreas: new Set(),
    failOn: [],
    failOnMissing: false,
    drift: null,
    health: null,
    check: null,
    dryRun: false,
    script: false,
  });
});

test("a flag of the table that was typed makes it the format; a default does not, and does not refuse another", async () => {
  const formatOf = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const command = await parseArgv(["--demo", ...args], readFile, env);
    assert.equal(command.kind, "run");
    return [command.options.format, command.options.table.sort];
  };
  assert.deepEqual(await formatOf(["--sort", "power"]), ["table", "power"]);
  assert.deepEqual(await formatOf([], { ALLSMI_SSH_SORT: "power" }), [null, "power"]);
  assert.deepEqual(await formatOf(["--format", "csv"], { ALLSMI_SSH_SORT: "power" }), ["csv", "power"]);
  assert.deepEqual(await formatOf(["--where", "tick>1"]), [null, "host"]);
});

test("every flag is read", async () => {
  const { ssh, sample, ...options } = await optionsOf(
    ...["--ssh", "a", "--ssh-key", "k1", "--ssh-key=k2", "--ssh-config", "c", "--ssh-known-hosts", "kh"],
    ...["--ssh-strict-host-key", "accept-new", "--ssh-timeout-secs", "2.5", "--ssh-client", "openssh"],
    ...[
      "--ssh-concurrency",
      "7",
      "--workers",
      "4",
      "--ssh-fallback",
      "none",
      "--interval",
      "0.5",
      "--count",
      "3",
    ],
    ...[
      "--include",
      "memory,gpu",
      "--tool-timeout-secs",
      "5",
      "--hold-driver",
      "never",
      "--redact",
      "--format",
      "csv",
    ],
    ...["--query", "name,detail.cuda_version", "--output", "out.csv", "--color", "never", "--dry-run"],
    ...["--fail-on", "gpu.temperature>85", "--fail-on", "state!=connected", "--verbose"],
  );
  assert.deepEqual(ssh, {
    keyFiles: ["k1", "k2"],
    configFile: "c",
    knownHostsFile: "kh",
    hostKeyPolicy: "accept-new",
    timeoutMs: 2500,
    client: "openssh",
    concurrency: 7,
  });
  assert.deepEqual([...sample.include], ["gpu", "memory"]);
  assert.deepEqual(sample.fallback, []);
  assert.deepEqual([sample.toolTimeoutSecs, sample.holdDriver, sample.redact], [5, "never", true]);
  assert.deepEqual(options.csvSections, ["gpu", "memory"]);
  assert.deepEqual(options.query, ["name", "detail.cuda_version"]);
  assert.equal(options.workers, 4);
  assert.deepEqual(options.length, { kind: "count", ticks: 3 });
  assert.deepEqual(
    options.failOn.map((condition) => condition.text),
    ["gpu.temperature>85", "state!=connected"],
  );
  assert.deepEqual(
    [options.intervalMs, options.format, options.output, options.color, options.verbosity, options.dryRun],
    [500, "csv", "out.csv", "never", "verbose", true],
  );
});

describe("--drift and --fail-on-drift", () => {
  const cases: [flags: readonly string[], expected: Options["drift"]][] = [
    [[], null],
    [["--drift"], { isReported: true, failsRun: false }],
    [["--drift", "--quiet"], { isReported: true, failsRun: false }],
    [["--fail-on-drift"], { isReported: true, failsRun: true }],
    [["--fail-on-drift", "--quiet"], { isReported: false, failsRun: true }],
    [["--drift", "--fail-on-drift", "--quiet"], { isReported: true, failsRun: true }],
  ];
  for (const [flags, expected] of cases)
    test(flags.join(" ") || "neither", async () =>
      assert.deepEqual((await optionsOf("--demo", ...flags)).drift, expected),
    );
});

describe("nothing is turned into a number", () => {
  for (const text of [
    "007",
    "1e3",
    "0x10",
    "12345678901234567890",
    "Infinity",
    "true",
    "false",
    ".5",
    "1.10",
  ]) {
    test(`--output ${text}`, async () => {
      assert.equal((await optionsOf("--demo", "--output", text)).output, text);
      assert.equal((await optionsOf("--demo", `--output=${text}`)).output, text);
    });
    test(`--ssh ${text}`, async () => {
      assert.deepEqual(await hostsOf("--ssh", text), [text]);
      assert.deepEqual(await hostsOf("--ssh", text, "--once", "--ssh", "b"), [text, "b"]);
    });
  }
  test("any text that is given comes back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (text) => {
        fc.pre(!text.includes("\0"));
        assert.equal((await optionsOf("--demo", `--output=${text}`)).output, text);
        if (!text.startsWith("--")) assert.equal((await optionsOf("--demo", "--output", text)).output, text);
      }),
    );
  });
});

describe("--listen", () => {
  for (const [text, host, port] of [
    ["9400", "127.0.0.1", 9400],
    ["0", "127.0.0.1", 0],
    ["0.0.0.0:9400", "0.0.0.0", 9400],
    ["[::]:65535", "::", 65_535],
    ["[fe80::1%eth0.2]:9400", "fe80::1%eth0.2", 9400],
    ["monitor-1.example:9400", "monitor-1.example", 9400],
  ] as const) {
    test(text, async () => {
      assert.deepEqual((await optionsOf("--demo", "--listen", text)).listen, { host, port });
    });
  }
});

describe("--format prometheus has an end, a file or a reader", () => {
  for (const flags of [["--once"], ["--count", "2"], ["--output", "f.prom"], ["--listen", "9400"]]) {
    test(flags.join(" "), async () => {
      const { format } = await optionsOf("--demo", "--format", "prometheus", ...flags);
      assert.equal(format, "prometheus");
    });
  }
  test("--replay", async () => {
    assert.equal((await optionsOf("--replay", "f", "--format", "prometheus")).format, "prometheus");
  });
});

describe("hosts", () => {
  test("come from lists, repeated and with IPv6", async () => {
    assert.deepEqual(await hostsOf("--ssh", "u@a:22,[::1]:2222, b", "--ssh=c"), ["a", "::1", "b", "c"]);
  });
  test("come from a hostfile and from --ssh together, in that order", async () => {
    assert.deepEqual(await hostsOf("--ssh-hostfile", "hosts.txt", "--ssh", "x"), ["x", "dgx-02", "dgx-01"]);
  });
  test("come from standard input", async () => {
    assert.deepEqual(await hostsOf("--ssh-hostfile", "-"), ["from-stdin"]);
    assert.deepEqual(await hostsOf("--ssh-hostfile=-"), ["from-stdin"]);
  });
  test("given twice are warned of", async () => {
    const command = await parse("--ssh", "dgx-01,a", "--ssh-hostfile", "hosts.txt");
    assert.equal(command.kind, "run");
    assert.deepEqual(command.warnings, ["hosts.txt:2: dgx-01 is already given at --ssh; it is watched once"]);
  });
});

describe("a replay", () => {
  test("goes as fast as it can", async () => {
    assert.deepEqual((await optionsOf("--replay", "-")).source, { kind: "replay", file: "-", speed: "max" });
    assert.deepEqual((await optionsOf("--replay=f", "--speed", "max")).source, {
      kind: "replay",
      file: "f",
      speed: "max",
    });
  });
  test("goes at a pace", async () => {
    assert.deepEqual((await optionsOf("--replay", "f", "--speed", "0.5")).source, {
      kind: "replay",
      file: "f",
      speed: 0.5,
    });
  });
});

describe("--ssh-fallback", () => {
  test("keeps the operator's order, each tool once", async () => {
    const reversed = [...FALLBACK_IDS].reverse();
    const { sample } = await optionsOf("--demo", "--ssh-fallback", [...reversed, ...FALLBACK_IDS].join(","));
    assert.deepEqual(sample.fallback, reversed);
  });
  for (const tool of TOOLS) {
    for (const alias of tool.aliases.filter(() => FALLBACK_IDS.includes(tool.id))) {
      test(`takes ${alias} for ${tool.id}`, async () => {
        assert.deepEqual((await optionsOf("--demo", "--ssh-fallback", alias)).sample.fallback, [tool.id]);
      });
    }
  }
});

describe("wrong usage is one line that names the flag and what is allowed", () => {
  const cases: [args: string[], problem: RegExp][] = [
    [[], /^no hosts given; name them .*--ssh-hostfile FILE, --demo or --replay FILE$/],
    [["-"], /^unexpected argument "-"; hosts from standard input are --ssh-hostfile -$/],
    [["--ssh", "a", "--", "--once"], /^command line: "--once" has a host that starts with "-"/],
    ...["3/3", "x", "1", "-1/3", "1/0", "0/10001", "1/2/3"].map((text): [string[], RegExp] => [
      ["a", `--shard=${text}`],
      /^--shard: ".*" is not I\/N with I from 0 to N-1 and N up to 10000/,
    ]),
    [["a", "--shard", "0/0"], /N up to 10000$/],
    [["a", "--shard", "3/3"], /; the last of 3 is 2\/3$/],
    [["--demo", "a"], /^--demo: takes no hosts; leave them out$/],
    [["--demo", "--formt", "csv"], /^unknown flag --formt; did you mean --format\?$/],
    [["--demo", "--sshHostfile", "f"], /^unknown flag --sshHostfile; did you mean --ssh-hostfile\?$/],
    [["--demo", "--ssh_key", "f"], /^unknown flag --ssh_key; did you mean --ssh-key\?$/],
    [["--demo", "--no-color"], /^unknown flag --no-color; flags have no --no- form, see --color$/],
    [["--demo", "--no-once"], /^unknown flag --no-once; flags have no --no- form, see --once$/],
    [["--demo", "--__proto__=x"], /^unknown flag --__proto__$/],
    [["--demo", "--xyzzy"], /^unknown flag --xyzzy$/],
    [["--demo", "-x"], /^unknown flag -x/],
    [["--demo", "-once"], /^unknown flag -once; did you mean --once\?$/],
    [["--demo", "---once"], /^unknown flag ---once/],
    [["--demo", "--once=yes"], /^--once: takes no value$/],
    [["--demo", "--interval"], /^--interval: needs a value, --interval SECS$/],
    [["--demo", "--output", "--once"], /^--output: needs a value, --output FILE$/],
    [["--demo", "--output="], /^--output: needs a value that is not empty$/],
    ...["0", "-1", "0.05", "1e3", "0x1", "abc", "", " 1", "Infinity", "NaN", "1,5", "86401"].map(
      (text): [string[], RegExp] => [
        ["--demo", "--interval", text],
        /^--interval: ".*" is not a number from 0\.1 to 86400$/,
      ],
    ),
    ...["0", "-1", "1.5", "1e3", "x"].map((text): [string[], RegExp] => [
      ["--demo", "--count", text],
      /^--count: ".*" is not a whole number from 1 to 1000000000$/,
    ]),
    [["--demo", "--ssh-timeout-secs", "0"], /^--ssh-timeout-secs: "0" is not a number from 0\.1 to 3600$/],
    [["--demo", "--ssh-concurrency", "0"], /^--ssh-concurrency: "0" is not a whole number from 1 to 10000$/],
    [["--demo", "--workers", "65"], /^--workers: "65" is not a whole number from 0 to 64, or auto$/],
    [["--demo", "--workers", "all"], /^--workers: "all" is not a whole number from 0 to 64, or auto$/],
    [["--demo", "--tool-timeout-secs", "1.5"], /^--tool-timeout-secs: "1.5" is not a whole number/],
    [
      ["--demo", "--format", "json"],
      /^--format: "json" is not one of ndjson, csv, table, prometheus, otlp-json, all-smi-record$/,
    ],
    [["--demo", "--format", "prometheus"], /^--format prometheus: .* no end; add --listen PORT, --output/],
    ...["", ":9400", "65536", "a b:1", "::1:9400", "[::1]", "-1", "9400/tcp"].map(
      (text): [string[], RegExp] => [
        ["--demo", `--listen=${text}`],
        /^--listen: .*(\[ADDR:\]PORT|not empty)/,
      ],
    ),
    [["--demo", "--listen", "1", "--once"], /^--once: cannot be used with --listen; give one of them$/],
    [["--demo", "--color", "maybe"], /^--color: "maybe" is not one of auto, always, never$/],
    [
      ["--demo", "--ssh-strict-host-key", "ask"],
      /^--ssh-strict-host-key: "ask" is not one of yes, accept-new, no$/,
    ],
    [["--demo", "--ssh-client", "putty"], /^--ssh-client: "putty" is not one of auto, ssh2, openssh$/],
    [
      ["--demo", "--include", "gpus"],
      /^--include: "gpus" is not one of gpu, cpu, memory, chassis, process, storage, host, network, event$/,
    ],
    [["--demo", "--include", "gpu,,cpu"], /^--include: has an empty entry/],
    [
      ["--demo", "--ssh-fallback", "nvdia-smi"],
      /^--ssh-fallback: "nvdia-smi" is not one of .*nvidia-smi.*, none$/,
    ],
    [["--demo", "--ssh-fallback", "native"], /^--ssh-fallback: "native" is not one of/],
    [
      ["--demo", "--ssh-fallback", "none,nvidia-smi"],
      /^--ssh-fallback: none cannot be used with other tools/,
    ],
    [["--demo", "--format", "csv", "--query", "a..b"], /^--query: "a\.\.b" is not a dot path/],
    [["--demo", "--query", "name"], /^--query: only with --format csv$/],
    [
      ["--demo", "--format", "csv", "--query", "nmae"],
      /^--query: a row has no field "nmae"; did you mean name\?$/,
    ],
    [
      ["--demo", "--fields", "host_id,gpu.temprature"],
      /^--fields: gpu has no field "temprature"; did you mean gpu\.temperature\?$/,
    ],
    [["--demo", "--fields", "a..b"], /^--fields: "a\.\.b" is not a dot path/],
    [["--demo", "--rows", "gpu"], /^--rows: "gpu" is not one of record, device$/],
    [["--demo", "--format", "csv", "--rows", "record"], /^--rows record: only with --format ndjson/],
    [["--demo", "--format", "table", "--rows", "device"], /^--rows: only with --format ndjson or csv$/],
    [
      ["--demo", "--once", "--format", "prometheus", "--where", "tick>1"],
      /^--where: only with --format ndjson, csv or table$/,
    ],
    [["--demo", "--format", "csv", "--view", "hosts"], /^--view: only with --format table$/],
    [["--demo", "--view", "hosts", "--compact"], /^--compact: only with --format ndjson or csv$/],
    [["--demo", "--view", "rows"], /^--view: "rows" is not one of auto, gpus, hosts, groups$/],
    [
      ["--demo", "--sort", "name"],
      /^--sort: "name" is not one of host, utilization, temperature, memory, power$/,
    ],
    [["--demo", "--group-by", ""], /^--group-by: needs a value that is not empty$/],
    [["--demo", "--format", "csv", "--compact"], /^--compact: only with --format ndjson$/],
    [["--demo", "--frames-only", "--states-only"], /^--frames-only: cannot be used with --states-only/],
    [
      ["--demo", "--format", "csv", "--fields", "name", "--query", "name"],
      /^--fields: cannot be used with --query/,
    ],
    [
      ["--demo", "--where", "gpu.temprature>1"],
      /^--where: "gpu\.temprature>1": gpu has no field "temprature"/,
    ],
    [
      ["--demo", "--where", "gpu.temperature>1 for 3 ticks"],
      /^--where: "gpu\.temperature>1 for 3 ticks" needs several readings.* leave out "for 3 ticks"$/,
    ],
    [["--demo", "--check", "--compact"], /^--check: cannot be used with --compact/],
    [
      ["--demo", "--fail-on", "gpu.temperature"],
      /^--fail-on: "gpu.temperature": an operator .* is needed after gpu\.temperature, before the end; write PATH/,
    ],
    [["--demo", "--speed", "2"], /^--speed: only with --replay FILE$/],
    [["--replay", "f", "--speed", "0"], /^--speed: "0" is not a number from 0\.001 to 1000000$/],
    [["--demo", "--once", "--count", "1"], /^--once: cannot be used with --count; give one of them$/],
    [["--demo", "--quiet", "--verbose"], /^--quiet: cannot be used with --verbose; give one of them$/],
    [["--demo", "--ssh", "a"], /^--demo: cannot be used with --ssh; give one of them$/],
    [["--replay", "f", "--ssh-hostfile", "hosts.txt"], /^--replay: cannot be used with --ssh-hostfile/],
    [["--replay", "f", "--once"], /^--replay: cannot be used with --once/],
    [["--ssh", "a,,b"], /^--ssh: empty target/],
    [["--ssh", "bad:0"], /^--ssh: "bad:0" has no valid port after the colon; write a port from 1 to 65535$/],
    [["--ssh", "-oProxyCommand=id"], /^--ssh: .*starts with "-"/],
    [["--ssh-hostfile", "absent"], /^--ssh-hostfile: cannot read absent: ENOENT/],
    [
      ["--ssh-hostfile", "-", "--ssh-hostfile", "-"],
      /^--ssh-hostfile: standard input \(-\) can be read once/,
    ],
  ];
  for (const [args, problem] of cases) {
    test(args.join(" ") || "no argument", async () => {
      const problems = await problemsOf(...args);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", problem);
    });
  }
});

describe("flags that choose lines", () => {
  test("make NDJSON the format, and are read", async () => {
    const { format, query, selection, csvSections } = await optionsOf(
      ...["--demo", "--rows", "device", "--fields", "hostname, index", "--fields", "index,temperature"],
      ...["--where", "gpu.temperature > 1", "--where", "state == connected", "--frames-only", "--compact"],
    );
    assert.equal(format, "ndjson");
    assert.deepEqual(query, ["hostname", "index", "temperature"]);
    const { where, ...rest } = selection;
    assert.deepEqual(rest, { rows: "device", only: "frame", isCompact: true });
    assert.deepEqual(
      where.map(({ text }) => text),
      ["gpu.temperature > 1", "state == connected"],
    );
    assert.deepEqual(csvSections, SECTIONS);
  });
  test("leave CSV its rows: of GPUs, or of what --include names", async () => {
    const csv = await optionsOf("--demo", "--format", "csv", "--rows", "device", "--states-only");
    assert.deepEqual(csv.csvSections, ["gpu"]);
    assert.equal(csv.selection.only, "state");
    const both = await optionsOf("--demo", "--rows", "device", "--include", "process,gpu");
    assert.deepEqual(both.csvSections, ["gpu", "process"]);
  });
  test("are not there: the format is open, and all is printed", async () => {
    const { format, selection } = await optionsOf("--demo");
    assert.equal(format, null);
    assert.deepEqual(selection, { rows: "record", only: null, where: [], isCompact: false });
  });
});

test("everything that is wrong is reported at once", async () => {
  const problems = await problemsOf(
    "--ssh-hostfile",
    "bad.txt",
    "--interval",
    "x",
    "--format",
    "y",
    "--bogus",
  );
  assert.equal(problems.length, 5);
  assert.equal(problems.filter((problem) => /^bad\.txt:[12]: /.test(problem)).length, 2);
});

test("control characters of what was typed are not printed", async () => {
  for (const problem of await problemsOf(
    "--\u001b[31m",
    "--ssh",
    "a\u0007",
    "--format",
    "\u009b",
    "\u202e",
  )) {
    assert.doesNotMatch(problem, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  }
});

test("any arguments give a command or a UsageError", async () => {
  const word = fc.oneof(
    fc.constantFrom(...FLAGS.map((flag) => `--${flag.name}`), "--", "-", "-h", "--no-once", "--once="),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (args) => {
      const outcome = await parse(...args).catch((error: unknown) => error);
      if (outcome instanceof UsageError) assert.ok(outcome.problems.length > 0);
      else assert.ok(outcome !== null && typeof outcome === "object" && "kind" in outcome, String(outcome));
    }),
    { numRuns: propertyRuns(800) },
  );
});

describe("the step log", () => {
  const areasOf = async (variable: string | undefined, ...flags: readonly string[]): Promise<string[]> => {
    const command = await parseArgv(["--demo", ...flags], readFile, { ALLSMI_SSH_DEBUG: variable });
    assert.equal(command.kind, "run");
    return [...command.options.stepAreas];
  };
  test("is off by default, and with one --verbose", async () => {
    assert.deepEqual(await areasOf(undefined), []);
    assert.deepEqual(await areasOf(""), []);
    assert.deepEqual(await areasOf(undefined, "--verbose"), []);
  });
  test("has the areas of ALLSMI_SSH_DEBUG", async () => {
    assert.deepEqual(await areasOf("ssh"), ["ssh"]);
    assert.deepEqual(await areasOf(" remote, ssh,"), ["remote", "ssh"]);
  });
  test("has all areas with --verbose --verbose", async () => {
    assert.deepEqual(await areasOf(undefined, "--verbose", "--verbose"), ["ssh", "remote"]);
  });
  test("of an unknown area is wrong usage, with the known ones", async () => {
    await assert.rejects(areasOf("ssh,tcp\u0007"), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.problems.length, 1);
      assert.match(error.problems[0] ?? "", /^ALLSMI_SSH_DEBUG: "tcp.*" is not one of ssh, remote$/);
      return true;
    });
  });
});

describe("help and version", () => {
  test("win over everything else", async () => {
    assert.equal((await parse("--bogus", "-h")).kind, "help");
    assert.equal((await parse("--version", "--interval", "x")).kind, "version");
    assert.equal((await parse("-V")).kind, "version");
  });
  test("help names every flag and tool within the 80 columns of a terminal", async () => {
    const help = await parse("--help");
    assert.equal(help.kind, "help");
    for (const flag of FLAGS) assert.match(help.text, new RegExp(`^  (-\\w, )?--${flag.name}( |$)`, "m"));
    for (const id of FALLBACK_IDS) assert.ok(help.text.includes(id));
    for (const line of help.text.split("\n")) assert.ok(line.length <= 80, line);
  });
});

test("--health reads the kernel log too, unless --include names what to read", async () => {
  const of = async (...args: readonly string[]): Promise<readonly unknown[]> => {
    const { sample, health, csvSections } = await optionsOf(...args);
    return [sample.include.has("event"), health?.eventsImplied, csvSections];
  };
  const hosts = ["--ssh", "a"];
  assert.deepEqual(await of(...hosts), [false, undefined, ["gpu"]]);
  assert.deepEqual(await of(...hosts, "--health"), [true, true, ["gpu"]]);
  assert.deepEqual(await of(...hosts, "--expect", "gpus=8"), [false, false, ["gpu"]]);
  assert.deepEqual(await of(...hosts, "--health", "--include", "cpu"), [false, false, ["cpu"]]);
  assert.deepEqual(await of(...hosts, "--health", "--include", "gpu,event"), [true, false, ["gpu", "event"]]);
  assert.deepEqual(await of("--demo"), [true, true, ["gpu"]], "the demo is judged");
});

describe("--tool and the labels tool.NAME", () => {
  const withHosts = (text: string, ...args: readonly string[]): Promise<ParsedCommand> =>
    parseArgv(["--ssh-hostfile", "h.txt", ...args], () => Promise.resolve(text));

  test("paths by the tool's id, whichever of its names is given", async () => {
    const { sample } = await optionsOf(
      "--ssh",
      "a",
      "--tool",
      "nvidia=/opt/x=y/nvidia-smi",
      "--tool",
      "all-smi=/opt/a b",
    );
    assert.deepEqual(sample.toolPaths, { "nvidia-smi": "/opt/x=y/nvidia-smi", native: "/opt/a b" });
    assert.deepEqual((await optionsOf("--ssh", "a")).sample.toolPaths, {});
  });

  test("a hostfile's label stays a label", async () => {
    const command = await withHosts('a tool.nvidia-smi="/opt/my tools/nvidia-smi" rack=r1\nb\n');
    assert.ok(command.kind === "run" && command.options.source.kind === "targets");
    assert.deepEqual(command.options.source.targets[0]?.labels, {
      "tool.nvidia-smi": "/opt/my tools/nvidia-smi",
      rack: "r1",
    });
  });

  const wrong: readonly (readonly [value: string, problem: RegExp])[] = [
    ["nvidia-smi", /^--tool: has no path; write an absolute one/],
    ["nvidia-smi=bin/nvidia-smi", /^--tool: "bin\/nvidia-smi" is not an absolute path/],
    ["nvidia-smi=/a\nb", /^--tool: .* holds a control character/],
    ["nvidia-sim=/a", /^--tool: "nvidia-sim" is not one of native, nvidia-smi, /],
    ["sysfs=/sys", /^--tool: "sysfs" is not one of/],
    ["=/a", /^--tool: "" is not one of/],
  ];
  for (const [value, problem] of wrong)
    test(`wrong: ${JSON.stringify(value)}`, async () => {
      assert.match((await problemsOf("--ssh", "a", "--tool", value)).join(), problem);
    });

  test("one tool twice is wrong, by whatever names", async () => {
    const problems = await problemsOf("--ssh", "a", "--tool", "nvidia=/a", "--tool", "nvidia-smi=/b");
    assert.deepEqual(problems, ["--tool: nvidia-smi is given twice; give it once"]);
  });

  test("a wrong label is reported with file and line", async () => {
    const problems = await withHosts(
      "a\nb tool.nvidia-sim=/x\nc tool.nvidia=/x tool.nvidia-smi=/y\nd tool.rocm=bin/x\n",
    ).then(
      () => [],
      (error: unknown) => (error instanceof UsageError ? error.problems : []),
    );
    assert.equal(problems.length, 3, problems.join("\n"));
    assert.match(problems[0] ?? "", /^h\.txt:4: the label tool\.rocm: "bin\/x" is not an absolute path/);
    assert.match(
      problems[1] ?? "",
      /^h\.txt:2: the label tool\.nvidia-sim names no tool; known are native, nvidia-smi/,
    );
    assert.match(problems[2] ?? "", /^h\.txt:3: the label tool\.nvidia-smi is a second path of nvidia-smi/);
  });
});

/** Facts that are kept between runs: the host compares whether they hold, and any others change no record. */
import assert from "node:assert/strict";
import { rmSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Section, Sections } from "../../src/contract/record.js";
import { realClock, type Clock } from "../../src/lib/clock.js";
import type { SessionOptions } from "../../src/remote/discover.js";
import { inScript, keptFactsIn, MAX_FACTS_AGE_MS } from "../../src/remote/kept-facts.js";
import { HostSession } from "../../src/remote/session.js";
import { shimsToTry } from "../../src/shims/registry.js";
import { linux } from "../../src/system/linux.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { COLUMNS, makeKeptHost, ROW, VERSION_CASE, type KeptHost } from "../support/kept-host.js";
import { connectLocally } from "../support/local-connection.js";
import { propertyRuns } from "../support/property-runs.js";
import { makeTempDir } from "../support/temp-dir.js";

const SHIMS = await shimsToTry(["nvidia-smi"]);
const onLinux = process.platform === "linux" ? false : "NOT LINUX: facts are kept of Linux hosts alone";

interface Kept {
  facts: unknown;
  writes: number;
}

interface Run {
  readonly sections: Sections;
  readonly errors: readonly unknown[];
}

interface Asked {
  readonly include?: readonly Section[];
  readonly clock?: Clock;
  readonly toolPaths?: Readonly<Record<string, string>>;
  readonly step?: SessionOptions["step"];
}

/** One reading, as a run of `--once` takes it; what is kept goes from run to run in `kept`. */
async function run({ bin, shell }: KeptHost, kept: Kept | null, asked: Asked = {}): Promise<Run> {
  const { include = ["gpu", "cpu", "memory"], clock = realClock, toolPaths, step } = asked;
  const connection = connectLocally([shell], { PATH: `${bin}:/usr/bin:/bin` });
  const options: SessionOptions = {
    sample: {
      include: new Set(include),
      fallback: [],
      toolTimeoutSecs: 5,
      redact: false,
      holdDriver: "never",
      ...(toolPaths === undefined ? {} : { toolPaths }),
    },
    shims: SHIMS,
    systems: [linux],
    plainSystems: [],
    clock,
    intervalMs: null,
    ...(step === undefined ? {} : { step }),
  };
  const facts = {
    // Through JSON, as in a file.
    read: () => Promise.resolve(kept === null ? null : (JSON.parse(JSON.stringify(kept.facts)) as unknown)),
    write: (value: unknown) => {
      if (kept === null) return;
      kept.facts = value;
      kept.writes += 1;
    },
  };
  const { session, first } = await HostSession.start(connection, options, kept === null ? {} : { facts });
  session.close();
  connection.kill();
  return first.reading;
}

/** What does not change from run to run: all of the GPUs, and of a CPU what its counters and clocks do not say. */
function lasting({ sections, errors }: Run): unknown {
  const { gpus, cpus } = sections;
  const [cpu] = cpus ?? [];
  return {
    ...{ gpus, errors },
    cpu: cpu && {
      ...cpu,
      ...{ load_average: null, temperature: null, power_consumption: null },
      per_socket_info: cpu.per_socket_info.map((socket) => ({
        ...socket,
        temperature: null,
        frequency_mhz: typeof socket.frequency_mhz,
      })),
    },
    memory: sections.memory?.map(({ total_bytes }) => total_bytes),
  };
}

async function withKeptHost(use: (host: KeptHost, dir: string) => Promise<void>): Promise<void> {
  const temp = makeTempDir("kept-host");
  try {
    await use(makeKeptHost(temp.path), temp.path);
  } finally {
    temp.remove();
  }
}

const nothing = (): Kept => ({ facts: null, writes: 0 });

describe("facts of an earlier run", { skip: onLinux, concurrency: 2 }, () => {
  test("save the host two of three starts of the tool, and the record is the same", () =>
    withKeptHost(async (host) => {
      const without = await run(host, null);
      assert.equal(without.sections.gpus?.[0]?.detail["cuda_version"], "13.1");
      assert.deepEqual(host.starts(), ["help", "query", "version"]);
      const kept = nothing();
      const cold = await run(host, kept);
      assert.deepEqual(host.starts(), ["help", "query", "version"]);
      const steps: string[] = [];
      const warm = await run(host, kept, { step: (_, text) => steps.push(text) });
      assert.ok(steps.includes("facts of an earlier run that hold: host, nvidia-smi"), steps.join("\n"));
      assert.deepEqual(host.starts(), ["query"]);
      assert.deepEqual(lasting(cold), lasting(without));
      assert.deepEqual(lasting(warm), lasting(without));
      assert.equal(warm.sections.gpus?.[0]?.detail["cuda_version"], "13.1");
      assert.equal(kept.writes, 1);
    }));

  test("are those of the driver's version where we know its fields: no help is asked, and the record is the same", () =>
    withKeptHost(async (host) => {
      const byHelp = await run(host, null);
      host.starts();
      host.write("driver", "590.48.01");
      const kept = nothing();
      assert.deepEqual(lasting(await run(host, kept)), lasting(byHelp));
      assert.deepEqual(host.starts(), ["query", "version"]);
      assert.deepEqual(lasting(await run(host, kept)), lasting(byHelp));
      assert.deepEqual(host.starts(), ["query"]);
    }));

  test("have no reading in them", () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      await run(host, kept);
      const text = JSON.stringify(kept.facts);
      assert.match(text, /serial,pci\.bus_id/);
      for (const reading of ["GPU-1", "H100", "19818", "cpu MHz", "Cpus_allowed", "MemTotal"])
        assert.ok(!text.includes(reading), reading);
    }));

  const changes: Readonly<Record<string, (host: KeptHost, dir: string) => Asked | undefined>> = {
    "the host was booted again": (host) => {
      host.write("boot", "95b267a3-7772-4fa4-9d14-2f4d9b3aef4c");
      return undefined;
    },
    "it is another container of the machine": (host) => {
      host.write("name", "dgx-02");
      return undefined;
    },
    "the driver was replaced": (host) => {
      host.write("driver", "575.10");
      return undefined;
    },
    "the driver is gone": (_, dir) => {
      rmSync(join(dir, "host", "driver"));
      return undefined;
    },
    "the tool was replaced": (host) => {
      const now = Date.now() / 1000 + 86_400 * 365;
      utimesSync(join(host.bin, "nvidia-smi"), now, now);
      return undefined;
    },
    "another path of the tool is given": (host) => ({
      toolPaths: { "nvidia-smi": `${dirname(host.bin)}/./bin/nvidia-smi` },
    }),
    "an hour has passed": () => ({
      clock: { ...realClock, wallMs: () => Date.now() + MAX_FACTS_AGE_MS + 1 },
    }),
    "the clock was set back by more than a minute": () => ({
      clock: { ...realClock, wallMs: () => Date.now() - 70_000 },
    }),
  };
  for (const [why, change] of Object.entries(changes))
    test(`are not used where ${why}`, () =>
      withKeptHost(async (host, dir) => {
        utimesSync(join(host.bin, "nvidia-smi"), 1, 1);
        const kept = nothing();
        await run(host, kept);
        host.starts();
        const asked = change(host, dir) ?? {};
        const { sections } = await run(host, kept, asked);
        assert.equal(sections.gpus?.length, 1);
        assert.deepEqual(host.starts(), ["help", "query", "version"]);
        await run(host, kept, asked);
        const isKeptAgain = why !== "the driver is gone";
        assert.deepEqual(host.starts(), isKeptAgain ? ["query"] : ["help", "query", "version"]);
      }));

  test("give way in the same run where the tool no longer knows a field", () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      await run(host, kept);
      const columns = COLUMNS.filter((column) => column !== "serial");
      const refusal =
        'case $1 in *serial*) echo "Field \\"serial\\" is not a valid field to query."; exit 2;; esac';
      const row = ROW.replace(" 1650,", "");
      host.tool(fakeNvidiaSmi({ columns, rows: [row], before: refusal, cases: [VERSION_CASE] }));
      host.starts();
      const without = await run(host, null);
      host.starts();
      const { sections, errors } = await run(host, kept);
      assert.deepEqual(host.starts(), ["query", "help", "query", "version"]);
      assert.deepEqual([sections.gpus, errors], [without.sections.gpus, without.errors]);
      await run(host, kept);
      assert.deepEqual(host.starts(), ["query"]);
    }));

  test("are not kept of a tool that fails, and those of before are dropped", () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      await run(host, kept);
      host.tool(`case $1 in --query*) echo "${ROW}"; exit 15;; --help*) echo '"uuid"';; esac`);
      host.starts();
      await run(host, kept);
      assert.deepEqual(host.starts(), ["query", "help", "query", "version"]);
      assert.ok(!JSON.stringify(kept.facts).includes("nvidia-smi"));
    }));

  test("are not kept where the CUDA version did not come in time", () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      const late = ["--version) exit 124;;"];
      host.tool(fakeNvidiaSmi({ columns: COLUMNS, rows: [ROW], cases: late }));
      const { sections } = await run(host, kept);
      assert.equal(sections.gpus?.[0]?.detail["cuda_version"], undefined);
      host.starts();
      await run(host, kept);
      assert.deepEqual(host.starts(), ["help", "query", "version"]);
    }));

  test("of sections that are not asked stay", () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      await run(host, kept, { include: ["cpu"] });
      await run(host, kept, { include: ["gpu"] });
      assert.equal(kept.writes, 2);
      host.starts();
      await run(host, kept);
      assert.deepEqual(host.starts(), ["query"]);
      assert.equal(kept.writes, 2);
    }));
});

/** What a file might hold that somebody else has written, near what we would write and far from it. */
const hostileText = fc.oneof(
  fc.string(),
  fc.constantFrom('"; touch hacked; "', "$(touch hacked)", "`touch hacked`", "'", "\n", "\\", "!", "@NONCE@"),
);
const near = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(text) },
    { weight: 1, arbitrary: hostileText },
    { weight: 1, arbitrary: hostileText.map((added) => `${text}${added}`) },
    { weight: 1, arbitrary: fc.nat(text.length).map((length) => text.slice(0, length)) },
  );

/** The same value with some of its texts changed. */
function nearValue(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value === "string") return near(value);
  if (typeof value !== "object" || value === null) return fc.constant(value);
  const members = Object.entries(value).map(([key, member]) => [key, nearValue(member)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: [] });
}

const MACHINE = "95b267a3-7772-4fa4-9d14-2f4d9b3aef4b dgx-01";
const TOOL = {
  state: "590.48.01 /usr/bin/nvidia-smi ",
  values: { fields: COLUMNS.map(plain).join(","), cuda: "13.1" },
};
function plain(column: string): string {
  return column.replace(/ \[.*$/, "");
}

describe("anything may be in a file", () => {
  test("what of it gets into a script is constants of ours, numbers and paths", () => {
    const host = { state: "2/0-1/-/-/-/-/-/max/-/100000", text: "x86_64" };
    const written = { machine: MACHINE, readAtMs: 1000, host, tools: { "nvidia-smi": TOOL } };
    let used = 0;
    fc.assert(
      fc.property(fc.oneof(nearValue(written), fc.jsonValue()), (value) => {
        const script = inScript(keptFactsIn(value, SHIMS, 1000), SHIMS);
        if (script === null) return;
        used += 1;
        assert.match(script.state, /^[\da-f-]{36} [\w.-]{1,64}$/);
        assert.match(
          script.assignments,
          /^(?:k[tqfc]=(?:"[\w/.+:,@ -]*"|[\w.,]+|(?:\/proc\/cpuinfo)?)(?:; )?)+$/,
        );
      }),
      { numRuns: propertyRuns(2000) },
    );
    assert.ok(used > 0);
  });

  test("a record with it is the record without, or it is refused", { skip: onLinux }, () =>
    withKeptHost(async (host) => {
      const kept = nothing();
      const without = lasting(await run(host, kept));
      const written = kept.facts as Readonly<Record<string, unknown>>;
      await fc.assert(
        fc.asyncProperty(forged(written), async (facts) => {
          const again = { facts, writes: 0 };
          assert.deepEqual(lasting(await run(host, again)), without);
        }),
        { numRuns: propertyRuns(60) },
      );
    }),
  );
});

/**
 * Facts as they are or for another machine, driver or tool, or with text that is none. A whole forged file of this very
 * state is not among them: it takes this user's rights to write one.
 */
function forged(written: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const { machine, readAtMs, host, tools } = written as {
    readonly machine: string;
    readonly readAtMs: number;
    readonly host: { readonly state: string; readonly text: string };
    readonly tools: { readonly "nvidia-smi": typeof TOOL };
  };
  const tool = tools["nvidia-smi"];
  const other = <Value>(value: Value, changed: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
    fc.oneof(
      fc.constant(value),
      changed.filter((each) => each !== value),
    );
  return fc.oneof(
    fc.constant(written),
    fc.record({
      machine: other(machine, near(MACHINE)),
      readAtMs: fc.constant(readAtMs),
      host: fc.record({ state: near(host.state).filter((state) => state !== host.state), text: hostileText }),
      tools: fc.record({
        "nvidia-smi": fc.oneof(
          fc.constant(tool),
          fc.record({
            state: near(tool.state).filter((state) => state !== tool.state),
            values: fc.record({ fields: near("uuid,name"), cuda: near("12.0") }),
          }),
        ),
      }),
    }),
    fc.jsonValue(),
  );
}

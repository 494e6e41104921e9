import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, test } from "node:test";
import { HostError, ParseError } from "../../src/contract/errors.js";
import type { SampleOptions } from "../../src/contract/options.js";
import type { Gpu, Section } from "../../src/contract/record.js";
import { realClock } from "../../src/lib/clock.js";
import type { SessionOptions } from "../../src/remote/discover.js";
import { HostSession } from "../../src/remote/session.js";
import type { Part, PartOutputs, Sampler, Shim } from "../../src/shims/kit/shim.js";
import type { HostSystem } from "../../src/system/host-system.js";
import { HOST_SYSTEMS } from "../../src/system/registry.js";
import { makeBus, pciDevice, shellOnBus } from "../support/fake-bus.js";
import { makeTools } from "../support/fake-tools.js";
import { connectLocally } from "../support/local-connection.js";
import { LOGIN_SHELLS } from "../support/login-shells.js";
import { makeTempDir } from "../support/temp-dir.js";

/** A shim whose tool prints one utilization a line; the second one's part is buffered. */
function fakeShim(id: string): Shim {
  const program: Part = { id: `${id}.query`, kind: "program", command: "{tool} --query a,b" };
  const query: Part = id === "two" ? { ...program, isBuffered: true } : program;
  const sampler: Sampler = { parts: [query], parse: (outputs) => read(id, outputs) };
  return {
    id,
    executables: [id],
    probe: () => [{ id: `${id}.probe`, kind: "program", command: "{tool} --probe" }, query],
    judge(outputs) {
      const probe = outputs.get(`${id}.probe`);
      if (probe?.end.kind === "timeout") return { kind: "broken", message: `${id}: no answer` };
      if (probe?.stdout.trim() === "too old") return { kind: "too-old", message: `${id} is too old` };
      if (probe?.end.kind !== "exit" || probe.end.code !== 0) {
        return {
          kind: "broken",
          message: `${id}: ${probe?.stdout.trim() ?? ""}${probe?.stderr.trim() ?? ""}`,
        };
      }
      return { kind: "usable", sampler };
    },
  };
}

function read(id: string, outputs: PartOutputs): ReturnType<Sampler["parse"]> {
  const output = outputs.get(`${id}.query`);
  if (output?.end.kind === "timeout") {
    return { sections: {}, errors: [{ section: "gpu", kind: "timeout", message: `${id} timed out` }] };
  }
  const lines = output?.stdout.trim().split("\n") ?? [];
  if (lines.some((line) => !/^\d+$/.test(line))) throw new ParseError(`${id}: ${lines.join("|")}`);
  const gpus = lines.map(
    (line) => ({ device_type: "GPU", utilization: Number(line), detail: {} }) as unknown as Gpu,
  );
  return { sections: { gpus }, errors: [] };
}

const HOST_SYSTEM: HostSystem = {
  id: "linux",
  uname: "Linux",
  probe: () => [{ id: "linux.memory", kind: "shell", command: "echo 42" }],
  sampler: () => ({
    parts: [{ id: "linux.memory", kind: "shell", command: "echo 42" }],
    parse: (outputs) => ({
      sections: {
        memory: [{ index: 0, total_bytes: Number(outputs.get("linux.memory")?.stdout) } as never],
      },
      errors: [],
    }),
  }),
};

interface Setup {
  readonly tools: Readonly<Record<string, string>>;
  readonly shell?: readonly string[];
  readonly shims?: readonly string[];
  readonly include?: SampleOptions["include"];
  readonly toolTimeoutSecs?: number;
  readonly intervalMs?: number;
}

async function withHost(
  setup: Setup,
  use: (connection: ReturnType<typeof connectLocally>, options: SessionOptions, dir: string) => Promise<void>,
): Promise<void> {
  const temp = makeTempDir("session");
  const connection = connectLocally(setup.shell ?? ["/bin/sh"], {
    PATH: `${temp.path}:/usr/bin:/bin`,
    HOME: temp.path,
  });
  try {
    makeTools(temp.path, setup.tools);
    await use(
      connection,
      {
        sample: {
          include: setup.include ?? new Set(["gpu", "memory"]),
          fallback: [],
          toolTimeoutSecs: setup.toolTimeoutSecs ?? 5,
          redact: false,
          holdDriver: "auto",
        },
        shims: (setup.shims ?? ["one", "two"]).map(fakeShim),
        systems: [HOST_SYSTEM],
        plainSystems: [],
        clock: realClock,
        intervalMs: setup.intervalMs ?? 500,
      },
      temp.path,
    );
  } finally {
    connection.kill();
    temp.remove();
  }
}

const utilizations = (gpus: readonly Gpu[] | undefined): unknown => gpus?.map((gpu) => gpu.utilization);

for (const { name, argv, skip } of LOGIN_SHELLS) {
  test(`one exec probes and samples, then a line a tick, under ${name}`, { skip }, async () => {
    await withHost(
      { shell: argv, tools: { two: `case $1 in --probe) echo ok;; *) echo 7; echo 9;; esac` } },
      async (connection, options) => {
        const { session, first } = await HostSession.start(connection, options);
        assert.equal(session.transport, "two");
        assert.deepEqual(utilizations(first.reading.sections.gpus), [7, 9]);
        assert.equal(first.reading.sections.memory?.[0]?.total_bytes, 42);
        for (const tick of [1, 2, 3]) {
          const { reading } = await session.sample(tick);
          assert.deepEqual(utilizations(reading.sections.gpus), [7, 9]);
          assert.deepEqual(reading.errors, []);
        }
        assert.equal(connection.opened.length, 1, "one channel in all");
        assert.equal(connection.written.length, 3, "one write a tick");
        assert.equal(connection.written[2], "t 3\n");
        assert.equal(session.channelMode, "session");
        session.close();
      },
    );
  });
}

test("a tool that is there and fails is reported, and the host's own sections are read", async () => {
  await withHost({ tools: { one: `echo "driver not loaded"; exit 9` } }, async (connection, options) => {
    const { session, first } = await HostSession.start(connection, options);
    assert.equal(session.transport, "one");
    assert.deepEqual(first.reading.errors, [
      { section: "gpu", kind: "error", message: "one: driver not loaded" },
    ]);
    assert.equal(first.reading.sections.memory?.[0]?.total_bytes, 42);
    const next = await session.sample(1);
    assert.equal(next.reading.errors[0]?.message, "one: driver not loaded");
    assert.equal(next.reading.sections.memory?.[0]?.total_bytes, 42);
    session.close();
  });
});

test("a broken tool does not hide the next one, and neither does a hanging one", async () => {
  const two = `case $1 in --probe) echo ok;; *) echo 5;; esac`;
  for (const one of ["exit 3", "sleep 30"]) {
    await withHost({ tools: { one, two }, toolTimeoutSecs: 1 }, async (connection, options) => {
      const { session, first } = await HostSession.start(connection, options);
      assert.equal(session.transport, "two");
      assert.deepEqual(utilizations(first.reading.sections.gpus), [5]);
      session.close();
    });
  }
});

test("a tool that the shell accepts and we reject gives way to the next one", async () => {
  const tools = { one: `echo too old`, two: `case $1 in --probe) echo ok;; *) echo 5;; esac` };
  await withHost({ tools }, async (connection, options) => {
    const { session } = await HostSession.start(connection, options);
    assert.equal(session.transport, "two");
    session.close();
  });
  await withHost({ tools: { one: `echo too old` } }, async (connection, options) => {
    await assert.rejects(HostSession.start(connection, options), (error: unknown) => {
      assert(error instanceof HostError);
      assert.equal(error.failure.code, "version-too-old");
      return true;
    });
  });
});

test("a host without any tool is unsupported where its bus cannot be read, unless no accelerator was asked for", async () => {
  const temp = makeTempDir("no-bus");
  const shell = [shellOnBus(temp.path)];
  await withHost({ tools: {}, shell }, async (connection, options) => {
    await assert.rejects(HostSession.start(connection, options), (error: unknown) => {
      assert(error instanceof HostError);
      assert.equal(error.failure.code, "no-tool");
      assert.match(error.failure.message, /none of: one, two/);
      return true;
    });
  });
  await withHost({ tools: {}, include: new Set(["memory"]) }, async (connection, options) => {
    const { session, first } = await HostSession.start(connection, options);
    assert.equal(session.transport, "linux");
    assert.equal(first.reading.sections.memory?.[0]?.total_bytes, 42);
    session.close();
  });
  temp.remove();
});

test("a host without accelerators is probed once, and is asked for nothing of a tool", async () => {
  const temp = makeTempDir("bare-bus");
  makeBus(temp.path, [pciDevice("0300 1a03:2000")]);
  const steps: string[] = [];
  await withHost({ tools: {}, shell: [shellOnBus(temp.path)] }, async (connection, options) => {
    let ahead = 0;
    const clock = { ...realClock, nowMs: () => realClock.nowMs() + ahead };
    const step = (_side: string, text: string): void => void steps.push(text);
    const { session, first } = await HostSession.start(connection, { ...options, clock, step });
    assert.equal(session.transport, "linux");
    const readings = [first.reading];
    for (const tick of [1, 2]) {
      ahead += 600_000;
      readings.push((await session.sample(tick)).reading);
    }
    for (const { sections, errors } of readings) {
      assert.deepEqual(sections.gpus, []);
      assert.equal(sections.memory?.[0]?.total_bytes, 42);
      assert.deepEqual(errors, []);
    }
    assert.equal(connection.opened.length, 1);
    session.close();
  });
  assert.equal(steps.filter((text) => text.startsWith("bootstrap sent")).length, 1);
  assert.ok(steps.some((text) => text.startsWith("tools: none (the PCI bus shows no accelerator)")));
  temp.remove();
});

test("the bus is listed only where it decides something", async () => {
  const temp = makeTempDir("listed-bus");
  makeBus(temp.path, [pciDevice("0302 10de:2330")]);
  const works = `case $1 in --probe) echo ok;; *) echo 1;; esac`;
  const LISTED = /@\S+ p host\.pci/;
  const listing = async (tools: Setup["tools"], include?: Setup["include"]): Promise<boolean> => {
    const setup = { tools, shell: [shellOnBus(temp.path)], ...(include === undefined ? {} : { include }) };
    let output = "";
    await withHost(setup, async (connection, options) => {
      const open = connection.open.bind(connection);
      const listening = {
        ...connection,
        open: (command: string, events: Parameters<typeof open>[1]) =>
          open(command, {
            ...events,
            stdout: (chunk) => {
              output += chunk.toString("utf8");
              events.stdout(chunk);
            },
          }),
      };
      await HostSession.start(listening, options).catch((error: unknown) => {
        assert.ok(error instanceof HostError);
      });
    });
    return LISTED.test(output);
  };
  assert.equal(await listing({}), true, "no tool");
  assert.equal(await listing({ one: "exit 3", two: works }), true, "one fails, one works");
  assert.equal(await listing({ one: works }), false, "one works");
  assert.equal(await listing({ one: "exit 3" }), false, "one fails");
  assert.equal(await listing({}, new Set(["memory"])), false, "no accelerator asked for");
  temp.remove();
});

test("a tool that hangs costs its own section, then is in cooldown so that the rest stays on the tick schedule", async () => {
  const one = `case $1 in --probe) echo ok;; *) [ -e "$HOME/hang" ] && sleep 20; echo 1;; esac`;
  await withHost({ tools: { one }, toolTimeoutSecs: 1 }, async (connection, options, dir) => {
    const { session } = await HostSession.start(connection, options);
    makeTools(dir, { hang: "" });
    const hung = await session.sample(1);
    assert.deepEqual(
      hung.reading.errors.map((error) => [error.section, error.kind]),
      [["gpu", "timeout"]],
    );
    assert.equal(hung.reading.sections.memory?.[0]?.total_bytes, 42);
    const next = await session.sample(2);
    assert.equal(next.reading.errors[0]?.kind, "timeout");
    assert.ok(next.latencyMs < 900, "the hanging tool was not asked again");
    assert.equal(connection.opened.length, 1);
    session.close();
  });
});

/** As under a wrapper without standard input: the shell that should stay reads end of file at once. */
function withoutInput(connection: ReturnType<typeof connectLocally>): ReturnType<typeof connectLocally> {
  return {
    ...connection,
    open: async (command, events) => {
      const channel = await connection.open(command, events);
      channel.end();
      return channel;
    },
  };
}

test("a host that keeps no shell open is asked by an exec a tick", async () => {
  await withHost(
    { tools: { one: `case $1 in --probe) echo ok;; *) echo 3;; esac` } },
    async (connection, options) => {
      const { session, first } = await HostSession.start(withoutInput(connection), options);
      assert.deepEqual(utilizations(first.reading.sections.gpus), [3]);
      for (const tick of [1, 2]) {
        const { reading } = await session.sample(tick);
        assert.deepEqual(utilizations(reading.sections.gpus), [3]);
      }
      assert.equal(session.channelMode, "exec");
      session.close();
    },
  );
});

describe("a tool at a path that the operator gave", () => {
  const ODD = `odd 'dir' "$x" \\!/one (1)`;
  const TOOL = `case $1 in --probe) echo ok;; *) echo 6;; esac`;
  /** A tool of this name on the PATH would answer otherwise. */
  const withGiven = (
    folder: string,
    shell: readonly string[],
    use: (connection: ReturnType<typeof connectLocally>, options: SessionOptions) => Promise<void>,
  ): Promise<void> =>
    withHost({ shell, tools: { one: "echo 1" } }, async (connection, options, dir) => {
      const path = `${dir}/${folder}`;
      makeTools(dirname(path), { [basename(path)]: TOOL });
      await use(connection, { ...options, sample: { ...options.sample, toolPaths: { one: path } } });
    });

  for (const { name, argv, skip } of LOGIN_SHELLS)
    test(`in the session of ${name}, and by an exec a tick`, { skip }, async () => {
      for (const folder of ["plain/one", "with blank/one", ODD])
        for (const mode of ["session", "exec"] as const)
          await withGiven(folder, argv, async (connection, options) => {
            const { session, first } = await HostSession.start(
              mode === "session" ? connection : withoutInput(connection),
              options,
            );
            assert.deepEqual(utilizations(first.reading.sections.gpus), [6], folder);
            for (const tick of [1, 2]) {
              const { reading } = await session.sample(tick);
              assert.deepEqual([utilizations(reading.sections.gpus), reading.errors], [[6], []], folder);
            }
            assert.equal(session.channelMode, mode);
            session.close();
          });
    });

  test("by plain commands", async () => {
    const temp = makeTempDir("plain-path");
    try {
      // A forced command that has a shell run the tool, and nothing else.
      const guard = `case "$2" in *one*" --probe"|*one*" --query a,b") eval "$2";; *) echo denied; exit 1;; esac`;
      makeTools(temp.path, { guard });
      for (const folder of ["plain/one", ODD])
        await withGiven(folder, [`${temp.path}/guard`], async (connection, options) => {
          const { session, first } = await HostSession.start(connection, options);
          assert.equal(session.channelMode, "plain");
          assert.deepEqual(utilizations(first.reading.sections.gpus), [6], folder);
          assert.deepEqual(utilizations((await session.sample(1)).reading.sections.gpus), [6], folder);
        });
    } finally {
      temp.remove();
    }
  });

  test("that has no program: its failure is reported, and the PATH is not searched", async () => {
    await withHost({ tools: { one: TOOL } }, async (connection, options, dir) => {
      const toolPaths = { one: `${dir}/gone/one` };
      const { session, first } = await HostSession.start(connection, {
        ...options,
        sample: { ...options.sample, toolPaths },
      });
      const [error] = first.reading.errors;
      assert.match(
        error?.message ?? "",
        /gone\/one, the path that was given, cannot start \(exit code 127\)/,
      );
      assert.equal(first.reading.sections.memory?.[0]?.total_bytes, 42);
      session.close();
    });
  });
});

test("a host that runs no script of ours is asked with plain commands", async () => {
  const temp = makeTempDir("plain");
  try {
    // A forced command that allows only the tool.
    const guard = `case "$2" in "one --probe") echo ok;; "one --query a,b") echo 8;; *) echo denied; exit 1;; esac`;
    makeTools(temp.path, { guard });
    await withHost({ tools: {}, shell: [`${temp.path}/guard`] }, async (connection, options) => {
      const { session, first } = await HostSession.start(connection, options);
      assert.equal(session.channelMode, "plain");
      assert.deepEqual(utilizations(first.reading.sections.gpus), [8]);
      const next = await session.sample(1);
      assert.deepEqual(utilizations(next.reading.sections.gpus), [8]);
    });
    makeTools(temp.path, { guard: `echo "This account is currently not available."; exit 1` });
    await withHost({ tools: {}, shell: [`${temp.path}/guard`] }, async (connection, options) => {
      await assert.rejects(HostSession.start(connection, options), /currently not available/);
    });
  } finally {
    temp.remove();
  }
});

test("native that fails gives way to a vendor tool in the next tick, and the record gives the reason", async () => {
  const native = `case $1 in --probe) echo ok;; *) [ -e "$HOME/fail" ] && echo garbage || echo 1;; esac`;
  const two = `case $1 in --probe) echo ok;; *) echo 2;; esac`;
  await withHost({ tools: { native, two }, shims: ["native", "two"] }, async (connection, options, dir) => {
    const { session } = await HostSession.start(connection, options);
    assert.equal(session.transport, "native");
    makeTools(dir, { fail: "" });
    const failed = await session.sample(1);
    assert.equal(failed.reading.errors[0]?.kind, "parse");
    const next = await session.sample(2);
    assert.equal(session.transport, "two");
    assert.deepEqual(utilizations(next.reading.sections.gpus), [2]);
    assert.match(next.reading.errors[0]?.message ?? "", /fell back from all-smi/);
    assert.deepEqual((await session.sample(3)).reading.errors, []);
    session.close();
  });
});

test("a host with all-smi has the sections that all-smi has not, at the first tick and later", async () => {
  await withHost({ tools: { native: "echo 1" }, shims: ["native"] }, async (connection, options) => {
    const include = new Set<Section>(["gpu", "host", "network"]);
    const sample = { ...options.sample, include };
    const { session, first } = await HostSession.start(connection, {
      ...options,
      sample,
      systems: HOST_SYSTEMS,
    });
    for (const { reading } of [first, await session.sample(1)]) {
      assert.deepEqual(reading.errors, []);
      assert.ok((reading.sections.host?.[0]?.uptime_seconds ?? 0) > 0);
      assert.ok(Array.isArray(reading.sections.network));
    }
    session.close();
  });
});

test("a hung tool leaves one process and one channel, whatever the number of ticks", async () => {
  const one = `case $1 in --probe) echo ok;; *) [ -e "$HOME/hang" ] && exec sleep 7.25; echo 1;; esac`;
  await withHost({ tools: { one }, toolTimeoutSecs: 1 }, async (connection, options, dir) => {
    const { session } = await HostSession.start(connection, options);
    makeTools(dir, { hang: "" });
    for (let tick = 1; tick <= 100; tick++) await session.sample(tick);
    assert.equal(connection.running(), 1);
    assert.equal(connection.opened.length, 1);
    session.close();
  });
});

test("a tool that has gone is probed again a minute after the last probe, and another one is found", async () => {
  const works = (value: number): string => `case $1 in --probe) echo ok;; *) echo ${value};; esac`;
  await withHost({ tools: { one: works(1) } }, async (connection, options, dir) => {
    let ahead = 0;
    const clock = { ...realClock, nowMs: () => realClock.nowMs() + ahead };
    const { session } = await HostSession.start(connection, { ...options, clock });
    rmSync(`${dir}/one`);
    makeTools(dir, { two: works(2) });
    for (const tick of [1, 2]) {
      const { reading } = await session.sample(tick);
      assert.equal(reading.errors[0]?.section, "gpu");
      assert.equal(reading.sections.memory?.[0]?.total_bytes, 42);
    }
    assert.equal(session.transport, "one", "not probed at every tick");
    ahead += 60_000;
    assert.deepEqual(utilizations((await session.sample(3)).reading.sections.gpus), [2]);
    assert.equal(session.transport, "two");
    session.close();
  });
});

test("a broken tool is probed again a minute later", async () => {
  const one = `[ -e "$HOME/loaded" ] || { echo "driver not loaded"; exit 9; }; case $1 in --probe) echo ok;; *) echo 1;; esac`;
  await withHost({ tools: { one } }, async (connection, options, dir) => {
    let ahead = 0;
    const clock = { ...realClock, nowMs: () => realClock.nowMs() + ahead };
    const { session } = await HostSession.start(connection, { ...options, clock });
    makeTools(dir, { loaded: "" });
    assert.match((await session.sample(1)).reading.errors[0]?.message ?? "", /not loaded/);
    ahead += 60_000;
    assert.deepEqual(utilizations((await session.sample(2)).reading.sections.gpus), [1]);
    session.close();
  });
});

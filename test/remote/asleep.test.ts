/** Tools that are not run where every GPU of their vendor sleeps. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { asleepPart, SleepingSampler, sleepingGpus, sleepersIn, wokenBy } from "../../src/remote/asleep.js";
import { FrameReader } from "../../src/remote/frame.js";
import { judgeFound } from "../../src/remote/probe.js";
import { isWanted, reachedBy } from "../../src/remote/tools-to-try.js";
import { bootstrapScript, tickDefinitions, tickLine, tickScript } from "../../src/remote/script.js";
import type { TickPlan } from "../../src/remote/script-plan.js";
import type { PartOutputs, Shim } from "../../src/shims/kit/shim.js";
import { allShims } from "../../src/shims/registry.js";
import { device, PCI_IDS, sysfsTree, type FakeDevice } from "../support/fake-sysfs.js";
import { partOutputs, probeContext } from "../support/shim-outputs.js";
import { gpu } from "../support/records.js";
import { fakeRoot, runPart, SHELLS, type Shell } from "../system/shells.js";

const NONCE = "0123456789ab";
const shims = await allShims();
const shimOf = (id: string): Shim => shims.find((shim) => shim.id === id) ?? assert.fail(id);

const nvidia = (address: string, status: string | null): FakeDevice => {
  const made = device(address, "nvidia", "0x10de", "0x28a0", 1, {});
  const others = Object.entries(made.files).filter(([name]) => name !== "power/runtime_status");
  const own = status === null ? [] : [["power/runtime_status", status] as const];
  return { ...made, files: Object.fromEntries([...others, ...own]) };
};

function run({ argv: [program, ...args] }: Shell, script: string, root: string): PartOutputs {
  const moved = script.replaceAll("/sys/bus", `${root}/sys/bus`);
  const { stdout, stderr } = spawnSync(program, [...args, "-c", moved], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.equal(stderr, "");
  const reader = new FrameReader(NONCE);
  reader.begin(0);
  assert.equal(reader.push(Buffer.from(stdout), 0), true, stdout);
  return reader.frame(5).outputs;
}

const ran = (outputs: PartOutputs): boolean => outputs.get("nvidia-smi.query")?.stdout === "ran\n";

/** What a tick answers where `echo` stands for nvidia-smi, by a shell that stays and by a script of its own. */
function ticks(shell: Shell, devices: readonly FakeDevice[], isWaking = false): readonly PartOutputs[] {
  const root = fakeRoot(sysfsTree(devices));
  const wakes = wokenBy(shimOf("nvidia-smi"));
  const plan: TickPlan = {
    nonce: NONCE,
    toolTimeoutSecs: 5,
    limiter: "watchdog",
    isGuarded: false,
    system: [],
    tools: [
      {
        parts: [{ id: "nvidia-smi.query", kind: "program", command: "{tool} ran" }],
        executable: "echo",
        ...(isWaking ? {} : { unlessAsleep: { shim: "nvidia-smi", wakes } }),
      },
    ],
  };
  return [`${tickDefinitions(plan)}\n${tickLine(0)}`, tickScript(plan, 0)].map((script) =>
    run(shell, script, root),
  );
}

for (const shell of SHELLS)
  describe(`a tick under ${shell.name}`, () => {
    const cases: readonly (readonly [
      what: string,
      devices: readonly FakeDevice[],
      sleepers: string | null,
    ])[] = [
      ["one that sleeps", [nvidia("0000:01:00.0", "suspended")], "0000:01:00.0"],
      ["one that goes to sleep", [nvidia("0000:01:00.0", "suspending")], "0000:01:00.0"],
      [
        "two that sleep",
        [nvidia("0000:01:00.0", "suspended"), nvidia("10000:02:00.0", "suspended")],
        "0000:01:00.0 10000:02:00.0",
      ],
      ["one that is awake", [nvidia("0000:01:00.0", "active")], null],
      ["one that wakes up", [nvidia("0000:01:00.0", "resuming")], null],
      ["one of two", [nvidia("0000:01:00.0", "suspended"), nvidia("0000:02:00.0", "active")], null],
      ["a kernel without runtime power management", [nvidia("0000:01:00.0", null)], null],
      ["no device", [], null],
      [
        "another vendor's that sleeps",
        [device("0000:03:00.0", "amdgpu", "0x1002", "0x740f", 0, { "power/runtime_status": "suspended" })],
        null,
      ],
    ];
    for (const [what, devices, sleepers] of cases)
      test(what, () => {
        for (const outputs of ticks(shell, devices)) {
          assert.equal(sleepersIn("nvidia-smi", outputs)?.join(" ") ?? null, sleepers);
          assert.equal(ran(outputs), sleepers === null);
        }
      });
    test("one that sleeps and may be woken", () => {
      for (const outputs of ticks(shell, [nvidia("0000:01:00.0", "suspended")], true))
        assert.equal(ran(outputs), true);
    });
  });

describe("a probe", () => {
  const context = probeContext(["gpu"]);
  const sleeping = partOutputs({ [asleepPart("nvidia-smi")]: " 0000:01:00.0\n" });
  const found = [{ shim: "nvidia-smi", executable: "nvidia-smi" }];

  test("a tool that was not run is used, and its vendor's other tools are not asked", () => {
    const judged = judgeFound(shims, found, sleeping, context);
    assert.equal(judged[0]?.kind, "usable");
    assert.deepEqual(
      ["tegrastats", "sysfs"].filter((id) => isWanted(shimOf(id), judged)),
      [],
    );
    const frame = {
      outputs: sleeping,
      tookMs: new Map<string, number>(),
      limiter: null,
      uname: "Linux",
      machine: null,
      found,
      isWhole: true,
    };
    const reached = reachedBy([shimOf("nvidia-smi"), shimOf("amd-smi"), shimOf("sysfs")], frame, context);
    assert.deepEqual(
      reached.map(({ id }) => id),
      ["nvidia-smi", "amd-smi"],
    );
  });

  test("the script of a probe has no condition where GPUs may be woken", () => {
    const script = (wakes: readonly (readonly string[])[]): string =>
      bootstrapScript({
        nonce: NONCE,
        toolTimeoutSecs: 5,
        systems: [],
        foundBefore: false,
        stay: false,
        candidates: [
          {
            shim: "nvidia-smi",
            group: "nvidia",
            executables: ["echo"],
            probe: [{ id: "nvidia-smi.query", kind: "program", command: "{tool} ran" }],
            wakes,
            path: null,
          },
        ],
      });
    const root = fakeRoot(sysfsTree([nvidia("0000:01:00.0", "suspended")]));
    const [shell = assert.fail()] = SHELLS;
    assert.equal(ran(run(shell, script([]), root)), true);
    assert.deepEqual(sleepersIn("nvidia-smi", run(shell, script([["nvidia"]]), root)), ["0000:01:00.0"]);
  });

  test("names come from the host's pci.ids, once; when a GPU wakes, the host is probed again", () => {
    const root = fakeRoot({ ...sysfsTree([nvidia("0000:01:00.0", "suspended")]), "/sys/pci.ids": PCI_IDS });
    for (const shell of SHELLS) {
      const sampler = new SleepingSampler(shimOf("nvidia-smi"));
      const [part = assert.fail()] = sampler.parts;
      const moved = { ...part, command: part.command.replaceAll(/\/\S+\/pci\.ids/g, "/sys/pci.ids") };
      const names = runPart(moved, shell, root);
      assert.equal(names.stderr, "");
      const [slept] = sampler.parse(new Map([...sleeping, [part.id, names]])).sections.gpus ?? [];
      assert.deepEqual(
        [slept?.name, slept?.power_state],
        ["AD107M [GeForce RTX 4060 Max-Q / Mobile]", "suspended"],
        shell.name,
      );
      assert.deepEqual(
        sampler.parts.map(({ command }) => command),
        [":"],
      );
      const awake = sampler.parse(partOutputs({ "nvidia-smi.awake": "" }));
      assert.equal(awake.outdated, true);
      assert.match(awake.errors[0]?.message ?? "", /is awake/);
    }
  });
});

test("a device keeps what it is called, by whichever form of its address, and nothing that it measured", () => {
  const known = gpu({
    index: 3,
    name: "A",
    uuid: "GPU-9",
    pci_bus_id: "00000000:0A:00.0",
    utilization: 97,
    used_memory: 5,
  });
  const [slept, other] = sleepingGpus(["0000:0a:00.0", "0000:0b:00.0"], [known]);
  assert.deepEqual(
    [slept?.index, slept?.name, slept?.uuid, slept?.utilization, slept?.used_memory],
    [3, "A", "GPU-9", null, null],
  );
  assert.deepEqual([other?.index, other?.name, other?.pci_bus_id], [null, null, "0000:0b:00.0"]);
});

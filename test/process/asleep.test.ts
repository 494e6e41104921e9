/** GPUs that sleep, through a real sshd in a mount namespace where a fake tree lies over /sys's drivers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FrameRecord } from "../../src/contract/record.js";
import { device, sysfsTree, type FakeDevice } from "../support/fake-sysfs.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { missing } from "../support/sshd.js";
import { SH, watchHost, type Watched, type WatchedHost } from "../support/watched-host.js";
import { fakeRoot } from "../system/shells.js";

const DRIVERS = "/sys/bus/pci/drivers";
const canMount =
  existsSync(DRIVERS) &&
  spawnSync("unshare", ["-m", "sh", "-c", `mount --bind /tmp ${DRIVERS}`]).status === 0;
const skip = missing ?? (canMount ? false : `SKIPPED LOUDLY: ${DRIVERS} cannot be covered by a mount here`);

const geforce = (address: string, status: string): FakeDevice =>
  device(address, "nvidia", "0x10de", "0x28a0", 1, { "power/runtime_status": status });

interface Sleeping extends Watched {
  /** How often the tool ran. */
  readonly runs: number;
}

/** `tool`: the body of an nvidia-smi that notes each run; `change`: sh that this tool runs, with $ROOT the drivers' folder. */
async function watch(
  devices: readonly FakeDevice[],
  args: readonly string[],
  more: WatchedHost = {},
  change = "",
): Promise<Sleeping> {
  const root = fakeRoot({ ...sysfsTree(devices), [`${DRIVERS}/none/bind`]: "" });
  const folder = join(root, DRIVERS);
  const runs = join(root, "runs");
  writeFileSync(runs, "");
  const answer = fakeNvidiaSmi({
    columns: ["index", "uuid", "name", "utilization.gpu [%]", "temperature.gpu", "pci.bus_id"],
    rows: ["0, GPU-1, NVIDIA GeForce RTX 4060, 97, 61, 00000000:01:00.0"],
  });
  const nvidiaSmi = `${SH}echo run >>${runs}\n${change.replaceAll("$ROOT", folder)}\n${answer}\n`;
  const within = ["unshare", "-m", "sh", "-c", `mount --bind "$0" ${DRIVERS} && exec "$@"`, folder];
  const host = {
    ...more,
    programs: { "nvidia-smi": nvidiaSmi, ...more.programs },
    args,
    sshd: () => ({ within }),
  };
  const watched = await watchHost(host);
  return { ...watched, runs: readFileSync(runs, "utf8").split("\n").length - 1 };
}

const lastFrame = ({ frames, stderr, records }: Watched): FrameRecord =>
  frames.at(-1) ?? assert.fail(`${stderr}${JSON.stringify(records)}`);

const TICKS = ["--count", "10", "--interval", "0.4"];
const ASLEEP = geforce("0000:01:00.0", "suspended");

describe("a GPU that sleeps", { skip, concurrency: 2 }, () => {
  test("is a device without readings in each tick, and no tool is run", async () => {
    const watched = await watch([ASLEEP], [...TICKS, "--include", "gpu,process,memory"]);
    assert.equal(watched.runs, 0);
    assert.equal(watched.code, 0, watched.stderr);
    assert.ok(watched.frames.length >= 2);
    for (const frame of watched.frames) {
      assert.equal(frame.transport, "nvidia-smi");
      assert.deepEqual([frame.errors, frame.processes, frame.memory?.length], [undefined, [], 1]);
      const [gpu, ...others] = frame.gpus ?? [];
      assert.equal(others.length, 0);
      assert.deepEqual(
        [gpu?.power_state, gpu?.pci_bus_id, gpu?.tool, gpu?.utilization, gpu?.temperature, gpu?.used_memory],
        ["suspended", "0000:01:00.0", "nvidia-smi", null, null, null],
      );
      // By this machine's own pci.ids, where it has one.
      if (existsSync("/usr/share/misc/pci.ids")) assert.match(gpu?.name ?? "", /GeForce RTX 4060/);
    }
  });

  test("--wake-gpus runs the tool", async () => {
    const watched = await watch([ASLEEP], ["--once", "--wake-gpus"]);
    assert.notEqual(watched.runs, 0);
    assert.deepEqual(
      [lastFrame(watched).gpus?.[0]?.utilization, lastFrame(watched).gpus?.[0]?.power_state],
      [97, undefined],
    );
  });

  test("one that is awake beside it: the tool runs for both", async () => {
    const watched = await watch([ASLEEP, geforce("0000:02:00.0", "active")], ["--once"]);
    assert.notEqual(watched.runs, 0);
    assert.equal(lastFrame(watched).gpus?.[0]?.utilization, 97);
  });

  test("one that goes to sleep keeps its name and loses its readings, and the tool is not run any more", async () => {
    const status = "0000:01:00.0/power/runtime_status";
    const sleep = `case "$*" in *pci.bus_id*) (sleep 0.2; echo suspended >$ROOT/nvidia/${status}) >/dev/null 2>&1 & ;; esac`;
    const watched = await watch([geforce("0000:01:00.0", "active")], TICKS, {}, sleep);
    const gpus = watched.frames.map((frame) => frame.gpus?.[0]);
    assert.equal(gpus[0]?.utilization, 97, "it was awake at first");
    const [last] = gpus.slice(-1);
    assert.deepEqual(
      [last?.name, last?.uuid, last?.index, last?.utilization, last?.power_state, last?.pci_bus_id],
      ["NVIDIA GeForce RTX 4060", "GPU-1", 0, null, "suspended", "00000000:01:00.0"],
    );
    assert.equal(lastFrame(watched).errors, undefined);
    const asleep = gpus.filter((gpu) => gpu?.power_state === "suspended").length;
    assert.ok(asleep >= 2 && watched.runs < 12, `${watched.runs} runs, ${asleep} frames of ${gpus.length}`);
  });

  test("all-smi, which would wake it, is not run either: the host is read without it", async () => {
    const allSmi = `${SH}echo all-smi ran >&2; exit 1\n`;
    const watched = await watch([ASLEEP], ["--once"], { programs: { "all-smi": allSmi } });
    const frame = lastFrame(watched);
    assert.deepEqual(
      [frame.transport, frame.gpus?.[0]?.power_state, frame.errors],
      ["nvidia-smi", "suspended", undefined],
    );
    assert.equal(frame.cpus?.length, 1);
  });

  test("a host whose kernel does not say is read as ever", async () => {
    const { files, ...silent } = geforce("0000:01:00.0", "active");
    const without = Object.fromEntries(
      Object.entries(files).filter(([name]) => name !== "power/runtime_status"),
    );
    const watched = await watch([{ ...silent, files: without }], ["--once"]);
    assert.equal(lastFrame(watched).gpus?.[0]?.utilization, 97);
  });
});

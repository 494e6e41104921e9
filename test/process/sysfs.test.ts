/** Hosts whose GPUs only the kernel reports: a real sshd in a mount namespace, where a fake tree lies over /sys's drivers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { FrameRecord } from "../../src/contract/record.js";
import { arcI915, mi210, ryzenApu, sysfsTree, type FakeDevice } from "../support/fake-sysfs.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { missing } from "../support/sshd.js";
import { SH, watchHost, type Watched, type WatchedHost } from "../support/watched-host.js";
import { fakeRoot } from "../system/shells.js";

const DRIVERS = "/sys/bus/pci/drivers";
const canMount =
  existsSync(DRIVERS) &&
  spawnSync("unshare", ["-m", "sh", "-c", `mount --bind /tmp ${DRIVERS}`]).status === 0;
const skip = missing ?? (canMount ? false : `SKIPPED LOUDLY: ${DRIVERS} cannot be covered by a mount here`);

function watch(devices: readonly FakeDevice[], host: WatchedHost = {}): Promise<Watched> {
  const root = fakeRoot({ ...sysfsTree(devices), [`${DRIVERS}/none/bind`]: "" });
  const within = [
    "unshare",
    "-m",
    "sh",
    "-c",
    `mount --bind "$0" ${DRIVERS} && exec "$@"`,
    join(root, DRIVERS),
  ];
  return watchHost({ ...host, sshd: () => ({ within }) });
}

const lastFrame = ({ frames, stderr, records }: Watched): FrameRecord =>
  frames.at(-1) ?? assert.fail(`${stderr}${JSON.stringify(records)}`);

const TWO = [mi210("0000:c5:00.0", 1), ryzenApu("0000:04:00.0", 0)];
const NVIDIA = `${SH}${fakeNvidiaSmi({ columns: ["index", "uuid", "name", "utilization.gpu [%]", "temperature.gpu"], rows: ["0, GPU-1, A10, 97, 61"] })}\n`;

describe("GPUs by the kernel's files", { skip, concurrency: 2 }, () => {
  test("a host without any tool has its GPUs in each tick, and exits with 0", async () => {
    const watched = await watch(TWO, { args: ["--count", "12", "--interval", "0.3"] });
    assert.equal(watched.code, 0, watched.stderr);
    assert.ok(watched.frames.length >= 2, "a first sample and ticks");
    for (const frame of watched.frames) {
      assert.equal(frame.transport, "sysfs");
      assert.equal(frame.errors, undefined);
      assert.deepEqual(
        frame.gpus?.map((gpu) => [gpu.index, gpu.pci_bus_id, gpu.utilization, gpu.tool]),
        [
          [0, "0000:04:00.0", 4, "sysfs"],
          [1, "0000:c5:00.0", 97, "sysfs"],
        ],
      );
      assert.equal(frame.memory?.length, 1, "the host's own sections stand beside them");
    }
  });

  test("an energy counter that stands still is 0 W from the second tick on", async () => {
    const watched = await watch([arcI915("0000:83:00.0", 2, "800")], {
      args: ["--count", "2", "--interval", "4"],
    });
    const [first, second] = watched.frames.map(({ gpus }) => gpus?.[0]?.power_consumption);
    assert.deepEqual([first, second], [null, 0]);
  });

  test("a tool that works is used, and the kernel's files are not", async () => {
    const frame = lastFrame(await watch(TWO, { programs: { "nvidia-smi": NVIDIA } }));
    assert.equal(frame.transport, "nvidia-smi");
    assert.deepEqual(
      frame.gpus?.map(({ tool }) => tool),
      ["nvidia-smi"],
    );
  });

  test("a tool of these devices that fails is no error where the kernel reports them", async () => {
    const amdSmi = `${SH}echo "cannot open /dev/kfd" >&2; exit 255\n`;
    const frame = lastFrame(await watch(TWO, { programs: { "amd-smi": amdSmi } }));
    assert.deepEqual([frame.transport, frame.gpus?.length, frame.errors], ["sysfs", 2, undefined]);
  });

  test("--ssh-fallback without sysfs does not read them", async () => {
    const { records } = await watch(TWO, { args: ["--once", "--ssh-fallback", "amd-smi"] });
    // Whether the host counts as one without accelerators depends on this machine's own bus.
    const [last] = records;
    assert.equal(records.length, 1);
    assert.notEqual(last?.transport, "sysfs");
    assert.deepEqual(last?.record === "frame" ? last.gpus : [], []);
  });
});

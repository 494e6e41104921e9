/** The NVIDIA readings of several ticks through a real sshd, from a tool that answers exactly the fields it is asked for. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Sections } from "../../src/contract/record.js";
import { makeTools } from "../support/fake-tools.js";
import { reach } from "../support/faulty-host.js";
import { GOLDEN_ROOT } from "../support/golden.js";
import { missing, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const FOLDER = `${GOLDEN_ROOT}nvidia-smi/three-boards-590`;
const [HEADER = "", ...ROWS] = readFileSync(`${FOLDER}/nvidia-smi.query/stdout.txt`, "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("@"));
const NAMES = HEADER.split(", ").map((name) => name.replace(/ \[.*$/, ""));
const link = (index: number): string =>
  `GPU ${index}: NVIDIA (UUID: GPU-5d3f1c52-8f1e-4f6a-9a34-00000000059${index})\\n\\t Link 0: 25 GB/s\\n`;

const TRAFFIC =
  "# gpu  sbecc  dbecc    pci  rxpci  txpci\\n# Idx   errs   errs   errs   MB/s   MB/s\\n" +
  "    0      0      0      4     12      3\\n    1      0      0      0      0      0\\n";

/** It prints the asked columns of the capture, and writes down which fields it was asked for. */
const tool = (log: string): string => `dir=$(dirname "$0")
case $1 in
--help-query-gpu) printf '%s\\n' ${NAMES.map((name) => `'"${name}"'`).join(" ")};;
--query-gpu=*) echo "$1" | tr , '\\n' | grep -c . >> "${log}"
awk -F', ' -v want="\${1#--query-gpu=}" '
NR == 1 { for (i = 1; i <= NF; i++) { name = $i; sub(/ .*/, "", name); at[name] = i } count = split(want, field, ",") }
{ line = $at[field[1]]; for (i = 2; i <= count; i++) line = line ", " $at[field[i]]; print line }
' "$dir/rows";;
--version) cat "${FOLDER}/nvidia-smi.version/stdout.txt";;
--query-compute-apps=*) cat "${FOLDER}/nvidia-smi.apps/stdout.txt";;
pmon) cat "${FOLDER}/nvidia-smi.pmon/stdout.txt";;
nvlink) echo "$2" >> "${log}"; case $2 in -s) printf '${link(0)}${link(1)}';; esac;;
dmon) echo dmon >> "${log}"; printf '${TRAFFIC}';;
*) exit 2;;
esac
`;

describe("NVIDIA fields over several ticks", () => {
  test("each record has all of them, however few a tick asks for", { skip }, async () => {
    const temp = makeTempDir("nvidia-fields");
    const log = join(temp.path, "asked");
    const bin = makeTools(join(temp.path, "bin"), { "nvidia-smi": tool(log) });
    writeFileSync(join(bin, "rows"), `${[HEADER, ...ROWS].join("\n")}\n`);
    const server = await startSshd({ shell: "/bin/sh", bin });
    const frames: Sections[] = [];
    try {
      const host = await reach(server, { include: ["gpu", "process"], toolTimeoutSecs: 20 });
      frames.push(host.first.reading.sections);
      for (let tick = 1; tick <= 3; tick += 1) frames.push((await host.sample(tick)).reading.sections);
      await host.close();
      const questions = readFileSync(log, "utf8").trim().split("\n");
      assert.deepEqual(questions, ["69", "52", "52", "-s", "-e", "dmon", "52"]);
    } finally {
      await server.stop();
      temp.remove();
    }
    const [first, ...later] = frames.map(readings);
    for (const frame of later) assert.deepEqual(frame, first);
    assert.deepEqual(first?.[1], [100, 38, 2520, 4, "13.1", 192]);
    assert.deepEqual(
      frames.map(({ gpus }) => gpus?.map(({ nvlink }) => nvlink?.ticks_ago)),
      [
        [undefined, undefined, undefined],
        [undefined, undefined, undefined],
        [0, 0, undefined],
        [1, 1, undefined],
      ],
    );
    assert.deepEqual(
      frames.map(({ gpus }) => gpus?.map(({ pcie }) => pcie?.replay_errors)),
      [
        [undefined, undefined, undefined],
        [undefined, undefined, undefined],
        [4, 0, undefined],
        [4, 0, undefined],
      ],
    );
    assert.deepEqual(
      frames[3]?.processes?.map((one) => [
        one.pid,
        one.device_id,
        one.gpu_process_type,
        one.encoder_utilization,
      ]),
      [
        [21180, 0, "C", null],
        [30412, 1, "C", 61],
        [1187, 1, "G", null],
      ],
    );
  });
});

/** Two that every tick reads, and four that it does not. */
function readings({ gpus = [] }: Sections): readonly unknown[] {
  return gpus.map((gpu) => [
    ...[gpu.encoder_utilization, gpu.decoder_utilization, gpu.clock_sm_max, gpu.pcie_link_gen_max],
    ...[gpu.detail["cuda_version"], gpu.remapped_rows_histogram?.max],
  ]);
}

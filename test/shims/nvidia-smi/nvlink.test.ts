/** NVLinks: the texts of several boards, and how seldom they are asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Reading, Sampler } from "../../../src/shims/kit/shim.js";
import { readNvlink } from "../../../src/shims/nvidia-smi/nvlink.js";
import { SELDOM_EVERY_TICKS } from "../../../src/shims/nvidia-smi/seldom-ticks.js";
import { nvidiaSmiShim } from "../../../src/shims/nvidia-smi.js";
import { GOLDEN_ROOT } from "../../support/golden.js";
import { assertKnownFields } from "../../support/known-fields.js";
import { type Answer, partOutputs, probeContext } from "../../support/shim-outputs.js";

const A100 = "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-fde0a018-ad1a-bbec-ccf6-50a9f64bd178)\n";
const UUIDS = ["GPU-5d3f1c52-8f1e-4f6a-9a34-000000000590", "GPU-5d3f1c52-8f1e-4f6a-9a34-000000000591"];

describe("the outputs of nvidia-smi nvlink", () => {
  test("an A100: links that are up or down, and errors summed over them", () => {
    const state = `${A100}\t Link 0: 25 GB/s\n\t Link 1: 25 GB/s\n\t Link 2: <inactive>\n\n`;
    const errors = `${A100}${[3, 0, 1]
      .map(
        (count, link) =>
          `\t Link ${link}: Replay Errors: ${count}\n\t Link ${link}: Recovery Errors: 0\n\t Link ${link}: CRC Errors: ${link}\n`,
      )
      .join("\n")}`;
    assert.deepEqual(readNvlink(state, errors), [
      {
        index: 0,
        uuid: "GPU-fde0a018-ad1a-bbec-ccf6-50a9f64bd178",
        links: { links: 3, active: 2, replay_errors: 4, recovery_errors: 0, crc_errors: 3 },
      },
    ]);
  });

  test("an H100 prints decimals; a B200 counts other errors, which are none of these", () => {
    const state =
      "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-1)\n         Link 0: 26.562 GB/s\n         Link 1: 26.562 GB/s\n";
    const errors =
      "GPU 1: NVIDIA B200 (UUID: GPU-1)\n\t Link 0: Rx Errors: 3\n\t Link 0: Symbol BER: 15e-255\n";
    assert.deepEqual(
      readNvlink(state, errors).map(({ links }) => links),
      [{ links: 2, active: 2, replay_errors: null, recovery_errors: null, crc_errors: null }],
    );
  });

  test("a board without NVLink has none, and a text that is not known is no state", () => {
    for (const state of [
      "",
      "GPU 0: NVIDIA RTX A4000 (UUID: GPU-a)\n",
      "GPU 0: Quadro RTX 5000 (UUID: GPU-b) NVML: Unable to retrieve Nvlink information as all links are inActive\n",
      "0, GPU-1, NVIDIA A10G, 97\n",
    ])
      assert.deepEqual(readNvlink(state, ""), [], state);
    const odd = readNvlink(
      `${A100}\t Link 0: 25 GB/s\n\t Link 1: Sleeping\n`,
      `${A100}\t Link 0: CRC Errors: N/A\n`,
    );
    assert.deepEqual(odd[0]?.links, {
      ...{ links: 2, active: null, replay_errors: null, recovery_errors: null, crc_errors: null },
    });
  });

  test("any bytes give whole counts or null", () => {
    const piece = fc.constantFrom(
      "GPU 0: x\n",
      "\t Link 0: ",
      "25 GB/s\n",
      "<inactive>\n",
      "CRC Errors: 9\n",
      "-1\n",
    );
    const text = fc
      .array(fc.oneof(piece, fc.string({ unit: "binary", maxLength: 8 })))
      .map((all) => all.join(""));
    fc.assert(
      fc.property(text, text, (state, errors) => {
        for (const { links } of readNvlink(state, errors))
          for (const value of Object.values(links))
            assert.ok(value === null || (Number.isSafeInteger(value) && value >= 0));
      }),
    );
  });
});

describe("NVLinks in ticks", () => {
  const rows = readFileSync(`${GOLDEN_ROOT}nvidia-smi/three-boards-590/nvidia-smi.query/stdout.txt`, "utf8");
  const lines = rows.split("\n");
  const only = (count: number): string => [...lines.slice(0, 2 + count), "@exit 0", ""].join("\n");
  const probe = (text: string): Sampler => {
    const outputs = partOutputs({ "nvidia-smi.query": text });
    const verdict = nvidiaSmiShim.judge(outputs, probeContext(["gpu"]));
    assert.ok("sampler" in verdict);
    const { sampler } = verdict;
    sampler.parse(outputs);
    // Parts that are asked now would make the first sample longer.
    assert.ok(!isAsked(sampler));
    sampler.parse(partOutputs({ "nvidia-smi.query": text }));
    return sampler;
  };
  const isAsked = ({ parts }: Sampler): boolean => parts.some(({ id }) => id === "nvidia-smi.nvlink-state");
  /** One tick, whose query answers all fields whatever was asked. */
  const tick = (sampler: Sampler, state: Answer, errors: Answer = ""): Reading => {
    const answers: Record<string, Answer> = { "nvidia-smi.query": rows };
    if (isAsked(sampler))
      Object.assign(answers, { "nvidia-smi.nvlink-state": state, "nvidia-smi.nvlink-errors": errors });
    return sampler.parse(partOutputs(answers));
  };
  const up = UUIDS.map((uuid, at) => `GPU ${at}: NVIDIA (UUID: ${uuid})\n\t Link 0: 25 GB/s\n`).join("");
  const nvlinks = (reading: Reading): readonly unknown[] =>
    (reading.sections.gpus ?? []).map(({ nvlink }) =>
      nvlink === undefined || nvlink === null ? nvlink : [nvlink.active, nvlink.links, nvlink.ticks_ago],
    );

  test("are asked in the third tick and then seldom; a record has when they were read", () => {
    const sampler = probe(rows);
    assert.ok(isAsked(sampler));
    const first = tick(sampler, up);
    assertKnownFields(first.sections);
    assert.deepEqual(nvlinks(first), [[1, 1, 0], [1, 1, 0], undefined]);
    for (let ago = 1; ago < SELDOM_EVERY_TICKS; ago += 1) {
      assert.ok(!isAsked(sampler), `tick ${ago}`);
      assert.deepEqual(nvlinks(tick(sampler, "")), [[1, 1, ago], [1, 1, ago], undefined]);
    }
    assert.ok(isAsked(sampler));
    const down = up.replace("25 GB/s", "<inactive>");
    assert.deepEqual(nvlinks(tick(sampler, down)), [[0, 1, 0], [1, 1, 0], undefined]);
  });

  test("a failure is an error once, and null until they are read again", () => {
    const sampler = probe(rows);
    tick(sampler, up);
    while (!isAsked(sampler)) tick(sampler, "");
    const failed = tick(sampler, { stdout: "Unknown Error\n", end: { kind: "exit", code: 255 } });
    assert.deepEqual(nvlinks(failed), [null, null, undefined]);
    assert.deepEqual(
      failed.errors.map(({ section, message }) => [section, message]),
      [["gpu", "nvidia-smi nvlink -s: Unknown Error"]],
    );
    const next = tick(sampler, "");
    assert.deepEqual([nvlinks(next), next.errors], [[null, null, undefined], []]);
  });

  test("are not asked again where there are none, and never on a host with one GPU", () => {
    for (const none of [
      { stdout: "Invalid combination of input arguments.\n", end: { kind: "exit", code: 2 } } as const,
      "GPU 0: NVIDIA RTX A4000 (UUID: GPU-a)\n",
    ]) {
      const sampler = probe(rows);
      assert.deepEqual(tick(sampler, none).errors, []);
      for (let at = 0; at <= SELDOM_EVERY_TICKS; at += 1) {
        assert.ok(!isAsked(sampler));
        tick(sampler, "");
      }
    }
    assert.ok(!isAsked(probe(only(1))));
    assert.ok(isAsked(probe(only(2))));
    // Each command would start the driver.
    assert.ok(!isAsked(probe(rows.replace("Enabled", "Disabled"))));
  });
});

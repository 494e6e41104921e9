/** A vendor tool that misbehaves costs its own section for a while, on a real sshd: the host's own sections keep their ticks, and nothing stays. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TEN_FIELDS } from "../../src/shims/nvidia-smi/fields.js";
import { H100_ROW, makeTools } from "../support/fake-tools.js";
import { faultyNvidiaSmi, gist, reach, remains, switchOn } from "../support/faulty-host.js";
import { waitFor } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("fault-tools");
let sshd: Sshd;

before(async () => {
  if (skip === false) sshd = await startSshd({ bin: join(temp.path, "bin"), shell: "/bin/sh" });
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

/** What a tool that ends may take where the machine is busy. */
const BUSY_SECS = 10;

/** A header of what H100_ROW has, and the address. */
const COLUMNS = [...TEN_FIELDS, "pci.bus_id"].join(", ");

interface Case {
  readonly what: string;
  /** Shell text in the tool. */
  readonly fault: string;
  readonly errors: readonly string[];
  readonly gpus: readonly number[] | null;
  /** In the first message. */
  readonly expectedMessage?: RegExp;
  /** The next tick does not ask the tool again. */
  readonly isPaused?: true;
}

const CASES: readonly Case[] = [
  {
    what: "hangs",
    fault: "exec sleep 613",
    errors: ["gpu timeout"],
    gpus: null,
    expectedMessage: /no answer within 1 s/,
    isPaused: true,
  },
  {
    what: "hangs and ignores SIGTERM",
    fault: `trap "" TERM; while :; do sleep 0.613; done`,
    errors: ["gpu timeout"],
    gpus: null,
    isPaused: true,
  },
  {
    what: "hangs after a row and a half",
    fault: `echo "${H100_ROW}"; printf "1, GPU-2, NVIDIA"; exec sleep 613`,
    errors: ["gpu timeout"],
    gpus: [37],
    isPaused: true,
  },
  {
    what: "hangs after a row with its address",
    fault: `echo "${COLUMNS}"; echo "${H100_ROW}, 00000000:3E:00.0"; exec sleep 613`,
    errors: ["gpu timeout"],
    gpus: [37],
    isPaused: true,
  },
  {
    what: "prints a few characters at a time and does not end",
    fault: `while :; do printf x; sleep 0.613; done`,
    errors: ["gpu timeout"],
    gpus: null,
    isPaused: true,
  },
  {
    what: "floods standard error",
    fault: `exec yes 613613613613613613613613613613613613613613613613 >&2`,
    errors: ["gpu error"],
    gpus: null,
    expectedMessage: /more than 32 MiB/,
    isPaused: true,
  },
  {
    what: "prints more than any answer has, and ends",
    fault: `yes 613 | head -n 200000; exit 0`,
    errors: ["gpu error"],
    gpus: null,
    expectedMessage: /^nvidia-smi printed more than 100000 lines; it is paused for a while$/,
    isPaused: true,
  },
  {
    what: "leaves a grandchild that keeps its standard error open",
    fault: `sleep 6.13 >/dev/null & echo "${H100_ROW}"; exit 0`,
    errors: [],
    gpus: [37],
  },
  {
    what: "prints no final newline",
    fault: `printf "%s" "${H100_ROW}"; exit 0`,
    errors: [],
    gpus: [37],
  },
  {
    what: "prints text like our markers",
    fault: `printf "\\n@000000000000 x nvidia-smi.query 0\\n\\n@000000000000 z 1\\n"; echo "${H100_ROW}"; exit 0`,
    errors: ["gpu error", "gpu error"],
    gpus: [37],
  },
  {
    what: "prints bytes that are no text",
    fault: `head -c 300000 /dev/urandom; exit 0`,
    errors: ["gpu"],
    gpus: null,
  },
  {
    what: "is killed",
    fault: `kill -9 $$`,
    errors: ["gpu error"],
    gpus: null,
    expectedMessage: /SIGKILL/,
  },
  {
    what: "prints on standard error why it fails",
    fault: `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver." >&2; exit 9`,
    errors: ["gpu error"],
    gpus: null,
    expectedMessage: /driver is not loaded/,
  },
];

for (const { what, fault, errors, gpus, expectedMessage, isPaused } of CASES) {
  test(`a tool that ${what}`, { skip }, async () => {
    const on = join(temp.path, "on");
    rmSync(on, { force: true });
    makeTools(join(temp.path, "bin"), { "nvidia-smi": faultyNvidiaSmi(on, fault) });
    const isLate = errors.includes("gpu timeout");
    const host = await reach(sshd, { toolTimeoutSecs: isLate ? 1 : BUSY_SECS });
    try {
      assert.deepEqual(gist(host.first), { gpus: [37], memory: true, errors: [] });
      switchOn(on);
      const hit = await host.sample(1);
      const summary = gist(hit);
      assert.equal(summary.memory, what !== "never", "the host's own sections are there");
      assert.deepEqual(summary.gpus, gpus);
      const first = summary.errors.slice(0, Math.max(1, errors.length));
      if (errors.length === 0) assert.deepEqual(summary.errors, []);
      else
        errors.forEach((error, i) => assert.ok(first[i]?.startsWith(error), `${first.join()} for ${error}`));
      if (expectedMessage !== undefined) assert.match(hit.reading.errors[0]?.message ?? "", expectedMessage);
      const next = await host.sample(2);
      assert.equal(gist(next).memory, true);
      if (isPaused === true) {
        assert.ok(next.reading.errors.length > 0);
        assert.deepEqual(
          remains(sshd, /613/)
            .map(({ command }) => command)
            .filter((c) => c.includes("613")),
          [],
        );
      }
      rmSync(on);
      if (isPaused !== true) assert.deepEqual(gist(await host.sample(3)).gpus, [37]);
    } finally {
      await host.close();
    }
    await waitFor("nothing of ours is left", () => remains(sshd, /613 *$/).length === 0, 3_000);
  });
}

test("a tool that floods standard output costs the host little memory", { skip }, async (t) => {
  const on = join(temp.path, "on");
  rmSync(on, { force: true });
  makeTools(join(temp.path, "bin"), { "nvidia-smi": faultyNvidiaSmi(on, "exec yes 613") });
  const host = await reach(sshd);
  try {
    switchOn(on);
    let mostKib = 0;
    const watch = setInterval(() => {
      for (const { pid } of remains(sshd, /^$/)) mostKib = Math.max(mostKib, peakKib(pid));
    }, 20);
    const hit = await host.sample(1);
    clearInterval(watch);
    t.diagnostic(`the remote shell held ${Math.round(mostKib / 1024)} MiB at most`);
    assert.ok(mostKib > 0 && mostKib < 300 * 1024, `${mostKib} KiB`);
    assert.equal(gist(hit).memory, true);
    assert.match(hit.reading.errors[0]?.message ?? "", /no answer|printed more than/);
    const next = await host.sample(2);
    assert.equal(gist(next).memory, true, "a new channel, and the tool is paused");
    assert.equal(next.reading.errors.length, 1);
  } finally {
    await host.close();
  }
  await waitFor("nothing of ours is left", () => remains(sshd, /613 *$/).length === 0, 3_000);
});

function peakKib(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

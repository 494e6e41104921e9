/** Where a tick's CPU goes on the machine that watches, by stage of the pipeline: the main thread, by V8's sampling. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { startFarm } from "../fleet/fleet.js";
import { makeRecordedShell } from "../fleet/recorded-shell.js";
import { stagesOf, type CpuProfile } from "../measure/stages.js";
import { ON_MAIN_THREAD, sleep, startWatch } from "../measure/watch-run.js";
import type { Scenario } from "./scenario.js";
import { intervalFor, warmUp } from "./steady.js";

const TICKS = 8;
/** V8's default: at shorter ones its sampling thread never sleeps. */
const SAMPLE_US = 1000;

export const profile: Scenario = {
  name: "profile",
  about: "where a tick's CPU goes, by stage",
  needs: "a C compiler for its recorded answers",
  takes: "3 minutes",
  isOnlyByName: true,
  async run({ hosts, quick, program, server, say }) {
    const count = hosts ?? (quick ? 50 : 500);
    const temp = makeTempDir("bench");
    try {
      const shell = server === "shell" ? null : await makeRecordedShell(program, temp.path);
      const farm = await startFarm(count, shell === null ? {} : { shell });
      try {
        const intervalSecs = intervalFor(count);
        const dir = join(temp.path, "profile");
        mkdirSync(dir);
        const node = ["--cpu-prof", `--cpu-prof-dir=${dir}`, `--cpu-prof-interval=${SAMPLE_US}`];
        const run = startWatch(program, farm, { intervalSecs, node, args: ON_MAIN_THREAD });
        const begun = performance.now();
        await warmUp(run, count);
        say(`profile: warm after ${Math.round((performance.now() - begun) / 1000)} s`);
        const from = run.mark();
        await sleep(TICKS * intervalSecs * 1000);
        const to = run.mark();
        await run.stop();
        const stages = stagesOf(profileIn(dir), (to.atMs - from.atMs) * 1000);
        const frames = to.frames - from.frames;
        const sorted = [...stages].sort(([, a], [, b]) => b - a);
        return {
          figures: [
            {
              id: "profile.whole",
              what: "main thread, a host and tick, while profiled",
              unit: "us",
              values: [sorted.reduce((sum, [, us]) => sum + us, 0) / frames],
            },
            ...sorted.map(([stage, us]) => ({
              id: `profile.${stage}`,
              what: `of it: ${stage}`,
              unit: "us",
              values: [us / frames],
            })),
          ],
          notes: [
            `profile: ${count} hosts, ${shell === null ? "real shells" : "a recording in the shells' place"}, ${TICKS} ticks; by the wall clock, so on a machine with nothing else to do`,
          ],
        };
      } finally {
        await farm.stop();
      }
    } finally {
      temp.remove();
    }
  },
};

function profileIn(dir: string): CpuProfile {
  const [file] = readdirSync(dir);
  if (file === undefined) throw new Error("node wrote no profile");
  return JSON.parse(readFileSync(join(dir, file), "utf8")) as CpuProfile;
}

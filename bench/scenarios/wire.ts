/** What a tick puts on the wire, and how often a session starts a login shell. Counts, not times. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { oursArgv, startFarm } from "../fleet/fleet.js";
import { startDelayRelay } from "../fleet/relay.js";
import { startMetered } from "../measure/cpu-meter.js";
import { Rounds } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

const TICKS = 12;

export const wire: Scenario = {
  name: "wire",
  about: "writes and bytes a tick, login shells a session",
  takes: "1 minute",
  async run({ program, peer }) {
    const farm = await startFarm(1, { shell: "/bin/bash" });
    const counts = new Rounds();
    const ways = [
      ["", []],
      [".js-only", ["--import", `file://${peer("without-addon")}`]],
    ] as const;
    try {
      slowDown(join(farm.gpus.bin, "nvidia-smi"));
      for (const [way, node] of ways) {
        const log = join(farm.home, `rc-log${way}`);
        // sshd's bash sources it at every exec, interactive or not.
        writeFileSync(join(farm.home, ".bashrc"), `echo >> ${log}\n`);
        writeFileSync(log, "");
        const relay = await startDelayRelay("127.0.0.1", farm.port, 0);
        const knownHostsFile = join(farm.dir, "known_hosts.wire");
        writeFileSync(knownHostsFile, farm.hostKeyLine("127.0.0.1", relay.port));
        const hostfile = join(farm.dir, "hosts.wire");
        writeFileSync(hostfile, `${farm.user}@127.0.0.1:${relay.port}\n`);
        const args = ["--interval", "0.3", "--count", String(TICKS)];
        const running = startMetered(
          oursArgv(program, { hostfile, keyFile: farm.keyFile, knownHostsFile }, args, node),
        );
        const after: { readonly writes: number; readonly bytes: number; readonly answers: number }[] = [];
        running.stdout.setEncoding("utf8");
        running.stdout.on("data", (text: string) => {
          if (text.includes('"record":"frame"')) after.push({ ...relay.sent(), answers: relay.answered() });
        });
        const { code } = await running.ended;
        await relay.stop();
        if (code !== 0 || after.length < TICKS - 2) throw new Error(`wire: ${running.stderr()}`);
        for (let tick = 3; tick < after.length; tick++) {
          counts.add(`writes${way}`, (after[tick]?.writes ?? 0) - (after[tick - 1]?.writes ?? 0));
          counts.add(`bytes${way}`, (after[tick]?.bytes ?? 0) - (after[tick - 1]?.bytes ?? 0));
          counts.add(`answers${way}`, (after[tick]?.answers ?? 0) - (after[tick - 1]?.answers ?? 0));
        }
        counts.add("shells", readFileSync(log, "utf8").length);
      }
      return {
        figures: [
          ...ways.flatMap(([way]) => [
            {
              id: `wire.writes-a-tick${way}`,
              what: `socket writes a tick${way}`,
              unit: "",
              values: counts.of(`writes${way}`),
            },
            {
              id: `wire.bytes-a-tick${way}`,
              what: `bytes out a tick${way}`,
              unit: "B",
              values: counts.of(`bytes${way}`),
            },
            {
              id: `wire.packets-an-answer${way}`,
              what: `pieces that a tick's answer comes in${way}`,
              unit: "",
              values: counts.of(`answers${way}`),
            },
          ]),
          {
            id: "wire.login-shells-a-session",
            what: `login shells in a session of ${TICKS} ticks`,
            unit: "",
            values: counts.of("shells"),
          },
        ],
      };
    } finally {
      await farm.stop();
    }
  },
};

/** A real nvidia-smi takes 20 ms and more: what the shell writes before it has left by then. */
function slowDown(tool: string): void {
  renameSync(tool, `${tool}.quick`);
  writeFileSync(tool, `#!/bin/sh\nsleep 0.05\nexec "$0.quick" "$@"\n`);
  chmodSync(tool, 0o755);
}

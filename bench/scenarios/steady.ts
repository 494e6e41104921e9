/** Open sessions, one reading of eight GPUs a host and tick: CPU on both sides, by the difference of two counts. */
import { fileURLToPath } from "node:url";
import { makeTempDir } from "../../test/support/temp-dir.js";
import { startFarm } from "../fleet/fleet.js";
import type { Farm } from "../fleet/fleet.js";
import { makeNoStayShell } from "../fleet/no-stay.js";
import { pythonWith } from "../fleet/peer-programs.js";
import { spawnTicking } from "../measure/ticking-peer.js";
import { LeftOut } from "../measure/again.js";
import { inTurn, Rounds } from "../measure/figures.js";
import { sleep, spanOf, startWatch } from "../measure/watch-run.js";
import type { Span, WatchRun } from "../measure/watch-run.js";
import { cannotView, startViewing } from "../measure/viewing-peer.js";
import type { BenchOptions, Scenario } from "./scenario.js";

const TICKS = 6;
/** An exec a tick keeps the machine busy with that many. */
const MAX_BY_EXEC = 200;
const WARM_TICKS = 8;
/** A small fleet needs more ticks for as many readings: at 50 hosts 8 ticks measured code that was not compiled yet. */
const WARM_READINGS = 4000;
const COUNTED_READINGS = 2000;
const PEER = fileURLToPath(new URL("../peers/asyncssh_fleet.py", import.meta.url));

export const steady: Scenario = {
  name: "steady",
  about: "a tick on open sessions",
  needs:
    "asyncssh, all-smi and script (util-linux) where there are any; a C compiler; 12 GiB of memory for 1,000 shells",
  takes: "20 to 40 minutes",
  async run(options) {
    const { quick, runs, peer } = options;
    const count = options.hosts ?? (quick ? 50 : 1000);
    const temp = makeTempDir("bench");
    const noStay = makeNoStayShell(temp.path);
    const farm = await startFarm(count);
    const few = Math.min(count, MAX_BY_EXEC);
    const execFarm = noStay === null ? null : await startFarm(few, { shell: noStay });
    // The same number of hosts on the same beat: a machine that runs more shells takes longer for each.
    const sessionFarm = noStay === null ? null : await startFarm(few);
    const python = pythonWith("asyncssh");
    const noView = cannotView(farm);
    const noAddon = ["--import", `file://${peer("without-addon")}`];
    const ways: readonly (readonly [string, () => Promise<Span>])[] = [
      ["ours", () => ours(options, options.program, farm, [])],
      ["ours, JS only", () => ours(options, options.program, farm, noAddon)],
      ...(options.against === null
        ? []
        : [["against", () => ours(options, options.against ?? "", farm, [])] as const]),
      ...(execFarm === null
        ? []
        : [["ours, exec a tick", () => ours(options, options.program, execFarm, [])] as const]),
      ...(sessionFarm === null
        ? []
        : [["ours, beside exec", () => ours(options, options.program, sessionFarm, [])] as const]),
      ...(python === null ? [] : [["asyncssh, exec a tick", () => asyncssh(python, farm)] as const]),
      ...(noView === null ? [["all-smi view", () => viewing(farm)] as const] : []),
    ];
    try {
      const client = new Rounds();
      const server = new Rounds();
      const leftOut = new LeftOut();
      for (let round = 0; round < (runs ?? (quick ? 1 : 3)); round++) {
        for (const [name, measure] of inTurn(ways, round)) {
          const tried = { what: `steady, ${name}`, say: options.say, log: () => farm.log() };
          const span = await leftOut.round(tried, measure);
          if (span === null) {
            client.skip(name);
            server.skip(name);
            continue;
          }
          options.say(
            `steady ${name}: client ${span.clientUs.toFixed(0)} us, server ${span.serverUs.toFixed(0)} us`,
          );
          client.add(name, span.clientUs);
          server.add(name, span.serverUs);
        }
      }
      return {
        figures: [
          us("steady.client-us", `client CPU a host and tick, ${count} hosts`, client.of("ours")),
          us("steady.client-us.js-only", "client CPU a host and tick, JS only", client.of("ours, JS only")),
          us("steady.client-us.against", "client CPU a host and tick, the other build", client.of("against")),
          us(
            "steady.client-us.exec",
            "client CPU a host and tick, exec mode",
            client.of("ours, exec a tick"),
          ),
          us(
            "steady.client-us.asyncssh",
            "client CPU a host and tick, asyncssh exec",
            client.of("asyncssh, exec a tick"),
          ),
          us(
            "steady.client-us.all-smi-view",
            "client CPU a host and tick, all-smi view --ssh",
            client.of("all-smi view"),
          ),
          us("steady.server-us", "remote CPU a host and tick, session", server.of("ours")),
          us(
            "steady.server-us.exec",
            "remote CPU a host and tick, exec mode",
            server.of("ours, exec a tick"),
          ),
          us(
            "steady.server-us.asyncssh",
            "remote CPU a host and tick, asyncssh's bare query",
            server.of("asyncssh, exec a tick"),
          ),
          us(
            "steady.server-us.all-smi-view",
            "remote CPU a host and tick, all-smi view's bare query",
            server.of("all-smi view"),
          ),
          x(
            "steady.ours-over-all-smi-view",
            "client CPU a tick, ours / all-smi view --ssh",
            client.ratios("ours", "all-smi view"),
          ),
          x(
            "steady.remote-ours-over-all-smi-view",
            "remote CPU a tick, ours / all-smi view --ssh",
            server.ratios("ours", "all-smi view"),
          ),
          x(
            "steady.ours-over-asyncssh-exec",
            "client CPU a tick, ours / asyncssh exec",
            client.ratios("ours", "asyncssh, exec a tick"),
          ),
          x(
            "steady.ours-over-against",
            "client CPU a tick, this build / the other",
            client.ratios("ours", "against"),
          ),
          x(
            "steady.remote-session-over-exec",
            `remote CPU a tick, session / exec, ${few} hosts each`,
            server.ratios("ours, beside exec", "ours, exec a tick"),
          ),
        ].filter(({ id, values }) => values.length > 0 || OF_OURS.has(id)),
        notes: [
          ...leftOut.notes(),
          `steady: ${count} hosts, at least ${TICKS} ticks between the counts; exec mode on ${execFarm?.addresses.length ?? 0} hosts`,
          ...(execFarm === null ? ["steady: no C compiler, so no exec mode to compare with"] : []),
          noView === null
            ? "steady: all-smi view draws a table of 200 x 60 and reads 10 fields of the GPUs; its readings are counted on the hosts"
            : `steady: ${noView}`,
          ...(python === null ? ["steady: asyncssh is not installed"] : []),
        ],
      };
    } finally {
      await farm.stop();
      await execFarm?.stop();
      await sessionFarm?.stop();
      temp.remove();
    }
  },
};

/** Without values they miss their limits: ours never answered. The others were not asked for, or are not installed. */
const OF_OURS: ReadonlySet<string> = new Set(["steady.client-us", "steady.client-us.js-only"]);

const us = (id: string, what: string, values: readonly number[]) => ({ id, what, unit: "us", values });
const x = (id: string, what: string, values: readonly number[]) => ({ id, what, unit: "x", values });

/** The interval leaves the servers, which share this machine, room to answer. */
export function intervalFor(hosts: number): number {
  return Math.max(1, hosts / 200);
}

/** Until what runs each tick has been compiled: some thousand readings. */
export async function warmUp(run: WatchRun, hosts: number): Promise<void> {
  const ticks = Math.max(WARM_TICKS, Math.ceil(WARM_READINGS / hosts));
  await run.warm(ticks, 60_000 + hosts * 200 + intervalFor(hosts) * 1000 * 3 * ticks);
}

async function ours(
  { say }: BenchOptions,
  program: string,
  farm: Farm,
  node: readonly string[],
): Promise<Span> {
  const intervalSecs = intervalFor(farm.addresses.length);
  const run = startWatch(program, farm, { intervalSecs, node });
  try {
    await warmUp(run, farm.addresses.length);
    const from = run.mark();
    await sleep(Math.max(TICKS, Math.ceil(COUNTED_READINGS / farm.addresses.length)) * intervalSecs * 1000);
    const span = spanOf(from, run.mark());
    if (span.missed > 0) say(`steady: ${span.missed} readings were late`);
    return span;
  } finally {
    await run.stop();
  }
}

async function asyncssh(python: string, farm: Farm): Promise<Span> {
  const files = ["--hostfile", farm.hostfile, "--key", farm.keyFile, "--known-hosts", farm.knownHostsFile];
  const peer = spawnTicking([python, PEER, ...files, "--ticks", String(TICKS + 1), farm.gpus.command]);
  const hosts = farm.addresses.length;
  try {
    await peer.tick();
    const clientUs = peer.cpuUs();
    const serverUs = farm.serverCpuUs();
    const ticks = Math.max(1, Math.min(TICKS, Math.ceil(2000 / hosts)));
    for (let tick = 0; tick < ticks; tick++) await peer.tick();
    const readings = hosts * ticks;
    return {
      clientUs: (peer.cpuUs() - clientUs) / readings,
      serverUs: (farm.serverCpuUs() - serverUs) / readings,
      missed: 0,
    };
  } finally {
    await peer.stop();
  }
}

async function viewing(farm: Farm): Promise<Span> {
  const { gpus, addresses } = farm;
  // The shortest: what it draws between two ticks counts as a tick's.
  const peer = startViewing(farm, 1);
  try {
    await peer.rounds(2);
    const readings = gpus.calls() ?? 0;
    const clientUs = peer.cpuUs();
    const serverUs = farm.serverCpuUs();
    await peer.rounds(Math.max(1, Math.min(TICKS, Math.ceil(2000 / addresses.length))));
    const taken = (gpus.calls() ?? 0) - readings;
    return {
      clientUs: (peer.cpuUs() - clientUs) / taken,
      serverUs: (farm.serverCpuUs() - serverUs) / taken,
      missed: 0,
    };
  } finally {
    await peer.stop();
  }
}

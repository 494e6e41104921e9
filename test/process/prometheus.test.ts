/** Metrics of the built program: the numbers of its NDJSON, a file for the node exporter, and the server of `--listen`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { FrameRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { readExposition, valueOf, type Family } from "../support/exposition.js";
import { closedPort, freePort } from "../support/free-port.js";
import { withoutHostLines } from "../support/host-lines.js";
import { fetched, Programs, serving, until } from "../support/serving.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("metrics");
const programs = new Programs();
after(() => {
  programs.kill();
  temp.remove();
});
let count = 0;
function folder(): string {
  const path = join(temp.path, String(count++));
  mkdirSync(path);
  return path;
}

/** A host that is refused at once. */
const refused = async (): Promise<readonly string[]> => [
  ...["--ssh", `127.0.0.1:${await closedPort()}`, "--ssh-config", "none", "--interval", "0.2"],
];

describe("--format prometheus", () => {
  test("has the numbers of the NDJSON, one by one", async () => {
    const file = join(folder(), "demo.ndjson");
    const include = ["--include", "gpu,cpu,memory,chassis,storage"];
    const recorded = await runCli(["--demo", "--count", "2", ...include, "--format", "ndjson"]);
    writeFileSync(file, recorded.stdout);
    const latest = new Map(recordsOf(recorded.stdout).map((record) => [record.host_id, record]));
    const frames = [...latest.values()].filter((record): record is FrameRecord => record.record === "frame");
    assert.ok(frames.length >= 4, recorded.stderr);

    const { stdout, stderr } = await runCli(["--replay", file, "--format", "prometheus"]);
    const families = readExposition(stdout);
    assert.equal(families.get("allsmi_host_up")?.samples.size, latest.size, stderr);
    const numbers = new Map<string, number>();
    const expectAll = (
      list: readonly object[] | undefined,
      field: string,
      name: string,
      scale: (x: number) => number,
    ): void => {
      for (const device of list ?? []) {
        const value: unknown = Reflect.get(device, field);
        if (typeof value === "number") numbers.set(name, (numbers.get(name) ?? 0) + scale(value));
      }
    };
    const same = (value: number): number => value;
    for (const { gpus, cpus, memory, storage } of frames) {
      expectAll(gpus, "utilization", "allsmi_gpu_utilization_ratio", (value) => value / 100);
      expectAll(gpus, "temperature", "allsmi_gpu_temperature_celsius", same);
      expectAll(gpus, "used_memory", "allsmi_gpu_memory_used_bytes", same);
      expectAll(gpus, "total_memory", "allsmi_gpu_memory_total_bytes", same);
      expectAll(gpus, "power_consumption", "allsmi_gpu_power_consumption_watts", same);
      expectAll(gpus, "frequency", "allsmi_gpu_frequency_hertz", (value) => value * 1e6);
      expectAll(cpus, "utilization", "allsmi_cpu_utilization_ratio", (value) => value / 100);
      expectAll(memory, "total_bytes", "allsmi_memory_total_bytes", same);
      expectAll(storage, "total_bytes", "allsmi_storage_size_bytes", same);
    }
    for (const [name, sum] of numbers) {
      const samples = [...(families.get(name)?.samples.values() ?? [])];
      assert.ok(
        Math.abs(samples.reduce((total, value) => total + value, 0) - sum) <= Math.abs(sum) * 1e-12,
        name,
      );
    }
    for (const { host_id: host, labels, gpus = [] } of frames) {
      for (const [place, { index = place, uuid, temperature }] of gpus.entries()) {
        const id = { host, ...labels, gpu: String(index ?? place), ...(uuid === null ? {} : { uuid }) };
        assert.equal(valueOf(families, "allsmi_gpu_temperature_celsius", id), temperature ?? undefined);
      }
    }
    assert.ok(
      numbers.size === 9 && frames.some(({ gpus }) => gpus?.some(({ error }) => error !== undefined)),
    );
  });

  test("is printed once, by a run of one tick, with the exit code of the run", async () => {
    const run = await runCli([...(await refused()), "--once", "--format", "prometheus"]);
    assert.equal(run.code, 4, run.stderr);
    const families = readExposition(run.stdout);
    assert.deepEqual([...(families.get("allsmi_host_up")?.samples.values() ?? [])], [0]);
  });
});

describe("--output FILE.prom", () => {
  test("always holds one whole tick, until SIGTERM", async () => {
    const dir = folder();
    const file = join(dir, "gpus.prom");
    const sizes = new Set<number>();
    const seen: number[] = [];
    const flags = ["--demo", "--interval", "0.3", "--format", "prometheus", "--output", file];
    const run = await runCli(flags, {
      started: (child) => {
        void until(
          "five ticks in the file",
          () => {
            if (!readdirSync(dir).includes("gpus.prom")) return false;
            const text = readFileSync(file, "utf8");
            const ticks = readExposition(text).get("allsmi_host_ticks_total");
            const most = Math.max(...(ticks?.samples.values() ?? []));
            if (seen.at(-1) !== most) seen.push(most);
            sizes.add(statSync(file).ino);
            return seen.length >= 5;
          },
          40_000,
        ).finally(() => child.kill("SIGTERM"));
      },
    });
    assert.equal(run.code, 143, run.stderr);
    assert.equal(run.stdout, "");
    assert.ok(seen.length >= 5 && sizes.size >= 2, JSON.stringify(seen));
    assert.deepEqual(readdirSync(dir), ["gpus.prom"]);
  });

  const OLD = "# HELP old o\n# TYPE old gauge\nold 1\n";
  const starts: readonly (readonly [string, (file: string) => Promise<readonly string[]>])[] = [
    ["a wrong flag", () => Promise.resolve(["--demo", "--interval", "no"])],
    ["a key that is not there", () => Promise.resolve(["--ssh", "a", "--ssh-key", "/no/such/key"])],
    ["an address that is taken", () => Promise.resolve(["--demo", "--listen", String(taken.port)])],
    ["a dry run", async () => [...(await refused()), "--dry-run"]],
  ];
  const taken = { port: 0 };
  for (const [what, flagsOf] of starts) {
    test(`stays as it is after ${what}`, async () => {
      const blocker = createServer();
      await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
      const address = blocker.address();
      taken.port = typeof address === "object" && address !== null ? address.port : 0;
      const file = join(folder(), "gpus.prom");
      writeFileSync(file, OLD);
      const run = await runCli([...(await flagsOf(file)), "--format", "prometheus", "--output", file]);
      blocker.close();
      assert.equal(run.code, what === "a dry run" ? 3 : 2, run.stderr);
      assert.equal(readFileSync(file, "utf8"), OLD);
    });
  }

  const nodeExporter = ["prometheus-node-exporter", "node_exporter"].find(
    (name) => spawnSync(name, ["--version"]).status === 0,
  );
  const skip =
    nodeExporter === undefined && "SKIPPED LOUDLY: no node exporter (Debian: prometheus-node-exporter)";
  test("is served by a real node exporter", { skip, timeout: 60_000 }, async () => {
    const dir = folder();
    const file = join(dir, "gpus.prom");
    const run = await runCli(["--demo", "--once", "--format", "prometheus", "--output", file]);
    assert.equal(run.code, 0, run.stderr);
    const port = await freePort();
    programs.start(nodeExporter ?? "", [
      ...["--collector.disable-defaults", "--collector.textfile", `--collector.textfile.directory=${dir}`],
      ...[`--web.listen-address=127.0.0.1:${port}`, "--log.level=error"],
    ]);
    const text = await fetched(`http://127.0.0.1:${port}/metrics`);
    assert.match(text, /^node_textfile_scrape_error 0$/m);
    const ours = readExposition(readFileSync(file, "utf8"));
    for (const name of ["allsmi_gpu_temperature_celsius", "allsmi_host_state", "allsmi_gpu_info"]) {
      const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`));
      assert.equal(lines.length, ours.get(name)?.samples.size, name);
    }
  });
});

describe("--listen", () => {
  test("prints nothing else, answers until SIGTERM, and ends at once", async () => {
    const run = await serving([...(await refused())], async (url, child) => {
      await until("that it is ready", async () => (await fetch(url.replace("metrics", "-/ready"))).ok);
      const families = readExposition(await fetched(url));
      assert.deepEqual([...(families.get("allsmi_host_up")?.samples.values() ?? [])], [0]);
      child.kill("SIGTERM");
    });
    assert.equal(run.code, 143, run.stderr);
    assert.equal(run.stdout, "");
    assert.match(withoutHostLines(run.stderr), /^allsmi-ssh: serving http:\/\/127\.0\.0\.1:\d+\/metrics\n$/);
  });

  for (const workers of ["0", "2"]) {
    test(`serves the numbers that it prints as NDJSON (--workers ${workers})`, async () => {
      let families: ReadonlyMap<string, Family> = new Map();
      const flags = ["--demo", "--interval", "30", "--format", "ndjson", "--workers", workers, "--health"];
      const run = await serving(flags, async (url, child) => {
        await until(
          "that it is ready",
          async () => (await fetch(url.replace("metrics", "-/ready"))).ok,
          40_000,
        );
        families = readExposition(await fetched(url));
        child.kill("SIGTERM");
      });
      assert.equal(run.code, 143, run.stderr);
      const frames = recordsOf(run.stdout).filter(
        // The one that drops has no reading any more when it is served.
        (record): record is FrameRecord => record.record === "frame" && record.hostname !== "flaky-01",
      );
      assert.ok(frames.length >= 5);
      for (const { host_id: host, labels, gpus = [], health } of frames) {
        for (const [place, gpu] of gpus.entries()) {
          const id = { gpu: String(gpu.index ?? place), ...(gpu.uuid === null ? {} : { uuid: gpu.uuid }) };
          const value = valueOf(families, "allsmi_gpu_power_consumption_watts", { host, ...labels, ...id });
          assert.equal(value, gpu.power_consumption ?? undefined);
        }
        const status = health?.status ?? assert.fail("no health");
        assert.equal(valueOf(families, "allsmi_host_health", { host, ...labels, status }), 1);
      }
    });
  }

  test("on an address that is taken is exit 2, before anything is connected", async () => {
    let hasConnected = false;
    const ssh = createServer(() => (hasConnected = true));
    const http = createServer();
    await Promise.all(
      [ssh, http].map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    );
    const [sshPort, httpPort] = [ssh, http].map((server) => {
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    });
    const run = await runCli([
      "--ssh",
      `127.0.0.1:${sshPort}`,
      "--ssh-config",
      "none",
      "--listen",
      `${httpPort}`,
    ]);
    ssh.close();
    http.close();
    assert.equal(run.code, 2);
    assert.equal(
      run.stderr,
      `allsmi-ssh: --listen: cannot listen on 127.0.0.1:${httpPort}: listen EADDRINUSE: address already in use 127.0.0.1:${httpPort}\n`,
    );
    assert.equal(hasConnected, false);
  });
});

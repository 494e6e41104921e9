import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { uptime, userInfo } from "node:os";
import { describe, test } from "node:test";
import { SECTIONS, type Cpu, type Memory } from "../../src/contract/record.js";
import type { Sampler } from "../../src/shims/kit/shim.js";
import { linux } from "../../src/system/linux.js";
import { createPsReader } from "../../src/system/ps.js";
import { runParts, type Shell } from "./shells.js";

/** Compares what our parts read with what this machine's own tools print. */
interface IpLink {
  readonly ifname: string;
  readonly operstate: string;
  readonly mtu: number;
  readonly stats64: { readonly rx: { readonly bytes: number } };
}
const SH: Shell = { name: "sh", argv: ["sh"] };
const include = new Set(SECTIONS.filter((section) => section !== "gpu"));
const skip =
  process.platform === "linux" ? false : "NOT LINUX: nothing was compared with this machine's tools";

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
const needs = (program: string): string | false => (has(program) ? false : `NO ${program}: not compared`);
const tool = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });

function begin(): { readonly cpu: Cpu; readonly memory: Memory; readonly sampler: Sampler } {
  const probe = runParts(linux.probe(include), SH);
  const sampler = linux.sampler(probe, include);
  const { cpus, memory } = sampler.parse(probe).sections;
  assert.ok(cpus?.[0] && memory?.[0]);
  return { cpu: cpus[0], memory: memory[0], sampler };
}

function near(actual: number | null | undefined, expected: number, tolerance: number, what: string): void {
  const message = `${what}: ours ${actual}, theirs ${expected}, tolerance ${tolerance}`;
  assert.ok(typeof actual === "number" && Math.abs(actual - expected) <= tolerance, message);
}

/** Other programs start and end between two readings: the closest of several tries must agree. */
function closest(tries: number, difference: () => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries && best > 1; i++) best = Math.min(best, difference());
  return best;
}

describe("agreement with this machine's tools", { skip }, () => {
  test("the host's own files, uname and ip", { skip: needs("ip") }, () => {
    const { host, network } = begin().sampler.parse(runParts(linux.probe(include), SH)).sections;
    const [only] = host ?? [];
    assert.ok(only);
    assert.equal(only.boot_id, readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    assert.equal(only.kernel, tool("uname", "-r").trim());
    near(only.uptime_seconds, uptime(), 5, "uptime");
    const nodes = readdirSync("/sys/devices/system/node").filter((name) => /^node\d+$/.test(name));
    assert.equal(only.numa_nodes.length, nodes.length);
    const links = JSON.parse(tool("ip", "-json", "-statistics", "link")) as readonly IpLink[];
    for (const port of network?.filter(({ kind }) => kind !== "infiniband") ?? []) {
      const link = links.find(({ ifname }) => ifname === port.name);
      assert.equal(port.state, link?.operstate.toLowerCase());
      assert.equal(port.mtu, link?.mtu);
      near(port.rx_bytes, link?.stats64.rx.bytes ?? Number.NaN, 10_000_000, "received");
    }
    assert.ok(network?.every(({ name }) => name !== "lo"));
  });
  test("free -b", { skip: needs("free") }, () => {
    const { memory } = begin();
    const rows = tool("free", "-b").split("\n");
    const row = (name: string): number[] =>
      (rows.find((line) => line.startsWith(name)) ?? "").trim().split(/\s+/).slice(1).map(Number);
    const [total = 0, , free = 0, , , available = 0] = row("Mem:");
    const [swapTotal = 0, swapUsed = 0, swapFree = 0] = row("Swap:");
    const noise = total / 50;
    assert.equal(memory.total_bytes, total);
    near(memory.free_bytes, free, noise, "free");
    near(memory.available_bytes, available, noise, "available");
    near(memory.used_bytes, total - available, noise, "used");
    assert.equal(memory.swap_total_bytes, swapTotal);
    near(memory.swap_used_bytes, swapUsed, noise, "swap used");
    near(memory.swap_free_bytes, swapFree, noise, "swap free");
  });

  test("nproc", { skip: needs("nproc") }, () => {
    const { cpu } = begin();
    assert.equal(cpu.allowed_cpus ?? cpu.total_threads, Number(tool("nproc")));
  });

  test("lscpu", { skip: needs("lscpu") }, (t) => {
    const { cpu } = begin();
    const rows = new Map(
      tool("lscpu")
        .split("\n")
        .map((line) => [line.split(":")[0]?.trim() ?? "", line.slice(line.indexOf(":") + 1).trim()]),
    );
    const sockets = Number(rows.get("Socket(s)"));
    assert.equal(cpu.architecture, rows.get("Architecture"));
    assert.equal(cpu.cpu_model, rows.get("Model name"));
    assert.equal(cpu.socket_count, sockets);
    assert.equal(cpu.physical_cores, sockets * Number(rows.get("Core(s) per socket")));
    const cache = /^([\d.]+) ([KMG])iB/.exec(rows.get("L3 cache") ?? rows.get("L2 cache") ?? "");
    const scale = { K: 1 / 1024, M: 1, G: 1024 }[cache?.[2] ?? ""];
    if (cache === null || scale === undefined) t.diagnostic("lscpu prints no cache: not compared");
    else near(cpu.cache_size_mb, Number(cache[1]) * scale, 0.1, "cache");
  });

  test("vmstat over the same second", { skip: needs("vmstat") }, (t) => {
    const best = closest(6, () => {
      const { sampler } = begin();
      const rows = tool("vmstat", "1", "2").trim().split("\n");
      const names = (rows[1] ?? "").trim().split(/\s+/);
      const last = (rows.at(-1) ?? "").trim().split(/\s+/).map(Number);
      const of = (name: string): number => last[names.indexOf(name)] ?? Number.NaN;
      const ours = sampler.parse(runParts(sampler.parts, SH)).sections.cpus?.[0]?.utilization ?? Number.NaN;
      return Math.abs(ours - (100 - of("id") - of("wa")));
    });
    t.diagnostic(`within ${best.toFixed(2)} points of vmstat`);
    assert.ok(best <= 5, `vmstat differs by ${best} points`);
  });

  test("top -b over the same second", { skip: needs("top") }, (t) => {
    const best = closest(6, () => {
      const { sampler } = begin();
      const lines = tool("top", "-b", "-n", "2", "-d", "1").split("\n");
      const last = lines.findLast((line) => line.startsWith("%Cpu")) ?? "";
      const of = (name: string): number => Number(new RegExp(`([\\d.]+) ${name}\\b`).exec(last)?.[1]);
      const ours = sampler.parse(runParts(sampler.parts, SH)).sections.cpus?.[0]?.utilization ?? Number.NaN;
      return Math.abs(ours - (100 - of("id") - of("wa")));
    });
    t.diagnostic(`within ${best.toFixed(2)} points of top`);
    assert.ok(best <= 5, `top differs by ${best} points`);
  });

  test("statfs of each file system", () => {
    const probe = runParts(linux.probe(new Set(["storage"])), SH);
    const { storage = [] } = linux.sampler(probe, new Set(["storage"])).parse(probe).sections;
    assert.notEqual(storage.length, 0);
    for (const { mount_point: path, total_bytes: total, available_bytes: available } of storage) {
      const { blocks, bavail, bsize } = statfsSync(path);
      near(total, blocks * bsize, 1024, `${path} total`);
      near(available, bavail * bsize, blocks * bsize * 0.02, `${path} available`);
    }
  });

  test("node's own figures of this process", () => {
    const probe = runParts(linux.probe(new Set(["process"])), SH);
    const self = createPsReader().read(probe).get(process.pid);
    assert.ok(self);
    assert.equal(self.ppid, process.ppid);
    assert.equal(self.user, userInfo().username);
    assert.ok((self.threads ?? 0) > 1);
    near(self.memory_rss, process.memoryUsage.rss(), process.memoryUsage.rss() / 3, "rss");
    near(Date.parse(self.start_time ?? ""), Date.now() - process.uptime() * 1000, 3000, "start");
  });
});

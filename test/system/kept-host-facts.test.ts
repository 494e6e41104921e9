/** Facts of a Linux host that are kept: with what is live beside them, they read as a whole answer does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostAssignment, hostFactsToKeep, withKeptFacts } from "../../src/system/kept-host-facts.js";
import { parseLinuxFacts } from "../../src/system/linux-facts.js";

const LIVE = [
  "/proc/cpuinfo:cpu MHz\t\t: 2400.000",
  "/proc/cpuinfo:cpu MHz\t\t: 3000.000",
  "/proc/self/status:Cpus_allowed_list:\t0-1",
  "/proc/mounts:proc /proc proc rw,nosuid 0 0",
];
const LASTING = [
  "/proc/cpuinfo:model name\t: AMD EPYC 9654 96-Core Processor",
  "/proc/cpuinfo:vendor_id\t: AuthenticAMD",
  "/proc/cpuinfo:physical id\t: 0",
  "cpu0/topology/core_siblings_list:0-1",
  "cpu0/cpufreq/cpuinfo_max_freq:3707812",
  "/sys/devices/system/cpu/online:0-1",
  "/sys/fs/cgroup/memory.max:1073741824",
];
const HEAD = ["x86_64", "@sys", "/sys/class/dmi/id/sys_vendor:Supermicro", "@model"];
const STATE = "@state 2/0-1/3707812/-/1/1073741824/max 100000/-/-/-";

const listed = (lines: readonly string[]): string => [...HEAD, "@files", ...lines, STATE, ""].join("\n");
/** As of a host with many CPUs, which counts equal lines. */
const counted = (lines: readonly string[]): string =>
  [...HEAD, "@counts", ...lines.map((line) => `1 ${line.replace(/^cpu\d+/, "")}`), STATE, ""].join("\n");

for (const [how, answer] of Object.entries({ listed, counted }))
  test(`kept facts and live lines are a whole answer, lines ${how}`, () => {
    const whole = answer([...LASTING, ...LIVE]);
    const kept = hostFactsToKeep(whole);
    assert.ok(kept !== null);
    assert.equal(kept.state, STATE.slice("@state ".length));
    for (const line of LIVE) assert.ok(!kept.text.includes(line), line);
    const again = parseLinuxFacts(withKeptFacts(["@kept", "@files", ...LIVE, ""].join("\n"), kept));
    assert.deepEqual(again, parseLinuxFacts(whole));
    assert.equal(again.info.currentMhz, 2700);
    assert.equal(again.info.model, "AMD EPYC 9654 96-Core Processor");
    assert.equal(again.allowed, 2);
    assert.equal(again.chassisDetail["Vendor"], "Supermicro");
  });

test("the clocks are read beside kept facts only where a record has them: of one socket", () => {
  const of = (...sockets: readonly string[]): string => {
    const lines = sockets.map((cpus, cpu) => `cpu${String(cpu)}/topology/core_siblings_list:${cpus}`);
    const kept = hostFactsToKeep(
      listed([...LASTING.filter((line) => !line.includes("siblings")), ...lines, ...LIVE]),
    );
    return kept === null ? "" : hostAssignment(kept);
  };
  const state = STATE.slice("@state ".length);
  assert.equal(of("0-1", "0-1"), `kf="${state}"; kc=/proc/cpuinfo`);
  assert.equal(of("0", "1"), `kf="${state}"; kc=`);
});

test("facts are not kept where they may be wrong or cut short", () => {
  const without = (part: string, ...more: readonly string[]): string =>
    listed([...LASTING, ...LIVE, ...more].filter((line) => !line.includes(part)));
  assert.ok(hostFactsToKeep(without("no such line")) !== null);
  assert.equal(hostFactsToKeep(without("/proc/mounts")), null, "whose /proc it is, is not known");
  const lxcfs = "/proc/mounts:lxcfs /proc/cpuinfo fuse.lxcfs rw 0 0";
  assert.equal(hostFactsToKeep(without("no such line", lxcfs)), null, "a container's own view");
  assert.equal(hostFactsToKeep(without("cpu/online")), null, "the program was ended before the end");
  assert.equal(hostFactsToKeep(listed([...LASTING, ...LIVE]).replace("@state 2/0-1", "@state 2/0-3")), null);
  assert.equal(hostFactsToKeep(listed([...LASTING, ...LIVE]).replace("@state", "@other")), null);
  assert.equal(hostFactsToKeep(listed([...LASTING, ...LIVE]).replace("max 100000", '$(id)"')), null);
  assert.equal(hostFactsToKeep(listed([...LASTING, ...LIVE, `x${"y".repeat(70_000)}`])), null, "too large");
  assert.equal(hostFactsToKeep(""), null);
});

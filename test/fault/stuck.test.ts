/** What nothing on the host can end: ticks go over a second channel meanwhile, never a third, and back when it has ended. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeTools } from "../support/fake-tools.js";
import { faultyNvidiaSmi, gist, reach, remains, switchOn } from "../support/faulty-host.js";
import { signalPid, waitFor } from "../support/processes.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("fault-stuck");
const bin = join(temp.path, "bin");
const on = join(temp.path, "on");
let sshd: Sshd;
let single: Sshd;
const stops: (() => Promise<void>)[] = [];

before(async () => {
  if (skip !== false) return;
  makeTools(bin, {
    // Ends nothing, and wakes no guard: as when the program is in the kernel for good.
    timeout: `shift 3; exec "$@"`,
    sleep: `case $1 in *.*) exec /bin/sleep 86400;; *) exec /bin/sleep "$@";; esac`,
    "nvidia-smi": faultyNvidiaSmi(on, "exec sleep 627"),
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
  stops.push(() => sshd.stop());
  single = await startSshd({ bin, shell: "/bin/sh", config: ["MaxSessions 1"] });
  stops.push(() => single.stop());
});
after(async () => {
  await Promise.all(stops.map((stop) => stop()));
  temp.remove();
});

/** Not their guards, which are forks of them. */
const sessions = (server: Sshd): number => {
  const shells = server.processes().filter(({ command }) => command.endsWith("sh -s"));
  return shells.filter(({ parent }) => shells.every(({ pid }) => pid !== parent)).length;
};

const tools = (server: Sshd): readonly number[] =>
  server
    .processes()
    .filter(({ command }) => command === "/bin/sleep 627")
    .map(({ pid }) => pid);

test("a tool that cannot be ended: 20 ticks, one process of it, two shells, and back", { skip }, async () => {
  rmSync(on, { force: true });
  const host = await reach(sshd);
  try {
    switchOn(on);
    const hit = await host.sample(1);
    assert.deepEqual(gist(hit), { gpus: null, memory: true, errors: ["gpu timeout"] });
    for (let tick = 2; tick < 22; tick++) {
      const sample = await host.sample(tick);
      assert.deepEqual(gist(sample), { gpus: null, memory: true, errors: ["gpu timeout"] });
      assert.match(sample.reading.errors[0]?.message ?? "", /in an earlier tick/);
    }
    assert.equal(tools(sshd).length, 1);
    assert.equal(sessions(sshd), 2);
    rmSync(on);
    for (const pid of tools(sshd)) signalPid(pid, "SIGKILL");
    await waitFor("the tool's end", () => tools(sshd).length === 0);
    await arrival();
    assert.equal(gist(await host.sample(22)).memory, true);
    await waitFor("one shell", () => sessions(sshd) === 1);
  } finally {
    await host.close();
  }
  await waitFor("nothing of ours is left", () => remains(sshd, /627/).length === 0);
});

test(
  "a tool that cannot be ended at the probe: the host's own sections come, and no other probe",
  { skip },
  async () => {
    switchOn(on);
    const host = await reach(sshd);
    try {
      assert.equal(gist(host.first).memory, true);
      assert.deepEqual(gist(host.first).errors, ["gpu timeout"]);
      for (let tick = 1; tick < 4; tick++) assert.equal(gist(await host.sample(tick)).memory, true);
      assert.equal(tools(sshd).length, 1);
    } finally {
      rmSync(on);
      for (const pid of tools(sshd)) signalPid(pid, "SIGKILL");
      await host.close();
    }
  },
);

test(
  "one session allowed and a tool that cannot be ended: every tick reports it, and it comes back",
  { skip },
  async () => {
    rmSync(on, { force: true });
    const host = await reach(single);
    try {
      switchOn(on);
      assert.deepEqual(gist(await host.sample(1)).errors, ["gpu timeout"]);
      for (let tick = 2; tick < 4; tick++) {
        const { reading } = await host.sample(tick);
        assert.equal(reading.errors.length, 3);
        assert.match(reading.errors[0]?.message ?? "", /no more channels/);
      }
      rmSync(on);
      for (const pid of tools(single)) signalPid(pid, "SIGKILL");
      await waitFor("the tool's end", () => tools(single).length === 0);
      await arrival();
      assert.equal(gist(await host.sample(5)).memory, true);
    } finally {
      await host.close();
    }
  },
);

/** Output of the freed shell is still on its way. */
const arrival = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 500));

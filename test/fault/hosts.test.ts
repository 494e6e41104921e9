/** Hosts that allow little or have little: each is read as far as possible, or its record has the reason. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { HostError } from "../../src/contract/errors.js";
import { makeTools } from "../support/fake-tools.js";
import { faultyNvidiaSmi, gist, reach, remains, switchOn } from "../support/faulty-host.js";
import { waitFor } from "../support/processes.js";
import { canIsolate } from "../support/remote-machine.js";
import { missing, startSshd, type Sshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? false;
const temp = makeTempDir("fault-hosts");
const bin = join(temp.path, "bin");
let servers = 0;
/** A PATH without `timeout`, as macOS has it. */
const few = join(temp.path, "few");

before(() => {
  makeTools(bin, { "nvidia-smi": faultyNvidiaSmi(join(temp.path, "never"), "exec sleep 641") });
});
after(() => temp.remove());

/** Each server has a tool of its own, whose fault `on` switches on. */
async function withSshd(
  options: SshdOptions,
  use: (server: Sshd, on: string) => Promise<void>,
  before = "",
): Promise<void> {
  const dir = join(temp.path, String(servers++));
  const on = join(dir, "on");
  const own = makeTools(join(dir, "bin"), { "nvidia-smi": faultyNvidiaSmi(on, "exec sleep 641") });
  const server = await startSshd({ bin: `${before}${own}`, shell: "/bin/sh", ...options });
  try {
    await use(server, on);
  } finally {
    await server.stop();
  }
}

interface Refusing {
  readonly what: string;
  readonly options: SshdOptions;
  readonly code: string;
  readonly expectedMessage: RegExp;
}

const REFUSING: readonly Refusing[] = [
  {
    what: "allows no session",
    options: { config: ["MaxSessions 0"] },
    code: "no-tool",
    expectedMessage: /runs no command for us/,
  },
  {
    what: "has a forced command that never answers",
    options: { config: ["ForceCommand cat"] },
    code: "probe-timeout",
    expectedMessage: /no answer within/,
  },
  {
    what: "has a forced command that prints for ever, a little at a time",
    options: { config: ["ForceCommand while :; do echo x; sleep 0.3; done"] },
    code: "probe-timeout",
    expectedMessage: /no answer within/,
  },
  {
    what: "has a forced command that refuses",
    options: { config: ["ForceCommand echo not for you; exit 1"] },
    code: "no-tool",
    expectedMessage: /not for you/,
  },
];

describe("hosts that are odd", { concurrency: 4 }, () => {
  for (const { what, options, code, expectedMessage } of REFUSING) {
    test(`a host that ${what}: ${code}`, { skip }, async () => {
      await withSshd(options, async (server) => {
        await assert.rejects(reach(server), (error: unknown) => {
          assert.ok(error instanceof HostError, String(error));
          assert.equal(error.failure.code, code);
          assert.match(error.message, expectedMessage);
          return true;
        });
      });
    });
  }

  test("one session and no terminal are enough", { skip }, async () => {
    await withSshd({ config: ["MaxSessions 1", "PermitTTY no"] }, async (server) => {
      const host = await reach(server);
      assert.equal(host.live.route.channel, "session");
      for (let tick = 1; tick < 4; tick++) {
        assert.deepEqual(gist(await host.sample(tick)), { gpus: [37], memory: true, errors: [] });
      }
      await host.close();
    });
  });

  test("a host with no home, an odd PATH and a chatty rc file", { skip }, async () => {
    const home = join(temp.path, "home");
    mkdirSync(home);
    writeFileSync(join(home, ".bashrc"), `echo hello; echo there >&2; alias printf=false; set -e\n`);
    const PATH = `:.::/nowhere:${bin}:/usr/bin:/bin`;
    await withSshd({ shell: "/bin/bash", home, env: { PATH } }, async (server) => {
      const host = await reach(server);
      assert.deepEqual(gist(host.first), { gpus: [37], memory: true, errors: [] });
      assert.deepEqual(gist(await host.sample(1)), { gpus: [37], memory: true, errors: [] });
      await host.close();
    });
    await withSshd({ env: { HOME: "", LANG: "de_DE.ISO-8859-1" } }, async (server) => {
      const host = await reach(server);
      assert.deepEqual(gist(host.first), { gpus: [37], memory: true, errors: [] });
      await host.close();
    });
  });

  const noMachine = canIsolate() ? false : "needs namespaces for a login shell of its own";

  test(
    "a wrapper that gives its command no input: an exec a tick",
    { skip: skip === false ? noMachine : skip },
    async () => {
      const shell = join(temp.path, "wrapper");
      makeTools(temp.path, { wrapper: `exec /bin/sh "$@" </dev/null` });
      await withSshd({ shell }, async (server) => {
        const host = await reach(server);
        for (let tick = 1; tick < 4; tick++) {
          assert.deepEqual(gist(await host.sample(tick)), { gpus: [37], memory: true, errors: [] });
        }
        assert.equal(host.live.route.channel, "exec");
        await host.close();
      });
    },
  );

  test(
    "a forced command that allows only the tool: its sections, and one process of it when it hangs",
    { skip },
    async () => {
      const guard = `case "$SSH_ORIGINAL_COMMAND" in nvidia-smi*) eval "$SSH_ORIGINAL_COMMAND";; *) echo denied; exit 1;; esac`;
      makeTools(temp.path, { guard });
      await withSshd({ config: [`ForceCommand ${join(temp.path, "guard")}`] }, async (server, on) => {
        const host = await reach(server);
        assert.equal(host.live.route.channel, "plain");
        assert.deepEqual(gist(await host.sample(1)).gpus, [37]);
        switchOn(on);
        const late = await host.sample(2);
        assert.equal(late.reading.errors[0]?.kind, "timeout");
        for (let tick = 3; tick < 9; tick++) assert.equal(gist(await host.sample(tick)).gpus, null);
        assert.equal(remains(server, /sleep 641/).filter(({ command }) => command === "sleep 641").length, 1);
        await host.close();
      });
    },
  );

  test(
    "a forced command that allows only the tool, which floods: it is ended, and reported",
    { skip },
    async () => {
      const floods = join(temp.path, "floods");
      makeTools(temp.path, {
        flood: `[ ! -e ${floods} ] || exec yes 643; case "$SSH_ORIGINAL_COMMAND" in nvidia-smi*) eval "$SSH_ORIGINAL_COMMAND";; *) echo denied; exit 1;; esac`,
      });
      await withSshd({ config: [`ForceCommand ${join(temp.path, "flood")}`] }, async (server) => {
        const host = await reach(server, { toolTimeoutSecs: 20 });
        assert.equal(host.live.route.channel, "plain");
        switchOn(floods);
        for (const tick of [1, 2]) {
          const { gpus, errors } = gist(await host.sample(tick));
          // Without a shell, nothing reads the sections of the host itself, and that is in the errors too.
          assert.deepEqual([gpus, errors[0]], [null, "gpu error"]);
        }
        const { errors } = (await host.sample(3)).reading;
        assert.equal(errors[0]?.message, "nvidia-smi printed more than 8 MiB; it is paused for a while");
        await waitFor("the flood's end", () => remains(server, /yes 643/).length === 0);
        rmSync(floods);
        await host.close();
      });
    },
  );

  test(
    "a host without timeout bounds a tool all the same",
    { skip: skip === false ? noMachine : skip },
    async () => {
      mkdirSync(few, { recursive: true });
      // The programs of the standard PATH come after it: this one hides theirs, and knows neither way of asking.
      makeTools(few, { timeout: "exit 125" });
      await withSshd(
        {},
        async (server, on) => {
          const host = await reach(server);
          switchOn(on);
          const hit = await host.sample(1);
          assert.deepEqual(gist(hit), { gpus: null, memory: true, errors: ["gpu timeout"] });
          assert.deepEqual(gist(await host.sample(2)).memory, true);
          await host.close();
          await waitFor("nothing of ours is left", () => remains(server, /641/).length === 0);
        },
        `${few}:`,
      );
    },
  );
});

/**
 * The twelve usual refusals of a first contact, as a newcomer meets them on a terminal: what is printed is whole, what it
 * tells to do is done (a command is run as printed), and then the host is read. In one process: no start of the program.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { realClock } from "../../src/lib/clock.js";
import type { StreamRecord } from "../../src/contract/record.js";
import { run } from "../../src/run/run.js";
import { startAgent } from "../support/agent.js";
import { PROGRAM, recordsOf } from "../support/cli.js";
import { makeBus, pciDevice, shellOnBus } from "../support/fake-bus.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { closedPort } from "../support/free-port.js";
import { canIsolate } from "../support/remote-machine.js";
import { makeKey } from "../support/ssh-key.js";
import { knownHostsLines, missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const COLUMNS = 80;
const skip = missing ?? (canIsolate() ? false : "needs namespaces for an account of its own");
const temp = makeTempDir("first-contact");
const at = (...names: string[]): string => join(temp.path, ...names);
const ENVIRONMENT = { HOME: process.env["HOME"], SSH_AUTH_SOCK: process.env["SSH_AUTH_SOCK"] };
const opened: Server[] = [];
let sshd: Sshd;
let toolless: Sshd;

/** Where a newcomer stands: a folder with an empty home, the flags that were typed, and an agent or none. */
interface Scene {
  readonly dir: string;
  args: readonly string[];
  agent: string | null;
}

interface Seen {
  readonly record: StreamRecord;
  /** Standard error as on a terminal, a logged text each. */
  readonly printed: readonly string[];
}

interface Contact {
  readonly what: string;
  readonly code: string;
  /** Returns the flags. */
  readonly set: (scene: Scene) => readonly string[] | Promise<readonly string[]>;
  /** What is printed to do. */
  readonly fix: RegExp;
  /** Does what is advised, where that is no command. Returns the flags from then on; a command in the advice is run after it. */
  readonly follow?: (scene: Scene) => readonly string[] | Promise<readonly string[]>;
  /** What the command of an advice prints then. */
  readonly shows?: RegExp;
}

const known = ({ dir }: Scene): string => join(dir, "known");
const bare = (scene: Scene): string[] => ["--ssh-config", "none", "--ssh-known-hosts", known(scene)];
const here = (port = sshd.port): string => `${sshd.user}@127.0.0.1:${port}`;

/** A key that the account has. */
function authorised({ dir }: Scene, passphrase = "", server = sshd): string {
  const key = makeKey(join(dir, "key"), { passphrase });
  mkdirSync(join(server.home, ".ssh"), { recursive: true, mode: 0o700 });
  writeFileSync(join(server.home, ".ssh", "authorized_keys"), `${key.publicLine}\n`);
  return key.file;
}

function config({ dir }: Scene, ...lines: readonly string[]): string[] {
  writeFileSync(join(dir, "config"), lines.map((line) => `${line}\n`).join(""));
  return ["--ssh-config", join(dir, "config")];
}

/** Passes what it accepts on to the server; `silent`: accepts, and sends nothing. */
async function listen(port: number, to: number | "silent"): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (to === "silent") {
      socket.resume();
      return;
    }
    const onward = connect(to, "127.0.0.1");
    onward.on("error", () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

const SCAN = /ssh-keyscan -T 5 -p \d+ 127\.0\.0\.1$/;
let port = 0;
let silent: Server | null = null;

const CONTACTS: readonly Contact[] = [
  {
    what: "no key",
    code: "no-usable-key",
    set: (scene) => [
      "--ssh",
      here(),
      ...config(scene, `IdentityFile ${scene.dir}/keys/new`),
      ...bare(scene).slice(2),
    ],
    fix: /^mkdir -p -m 700 .* && ssh-keygen .* && ssh-copy-id -i /,
  },
  {
    what: "a key that the account does not have",
    code: "auth-failed",
    set: (scene) => ["--ssh", here(), ...bare(scene), "--ssh-key", makeKey(join(scene.dir, "key")).file],
    fix: /ssh-copy-id -i .*key\.pub /,
  },
  {
    what: "a host that is unknown",
    code: "host-key-unknown",
    set: (scene) => {
      rmSync(known(scene));
      return ["--ssh", here(), ...bare(scene), "--ssh-key", authorised(scene)];
    },
    fix: /ssh-keyscan -p \d+ 127\.0\.0\.1 >> /,
  },
  {
    what: "a host whose key has changed",
    code: "host-key-changed",
    set: (scene) => {
      writeFileSync(known(scene), knownHostsLines("127.0.0.1", sshd.port, [makeKey(join(scene.dir, "old"))]));
      return ["--ssh", here(), ...bare(scene), "--ssh-key", authorised(scene)];
    },
    fix: /^ssh-keygen -R '\[127\.0\.0\.1\]:\d+' -f /,
  },
  {
    what: "an agent that is empty, and a key that it should have",
    code: "no-usable-key",
    set: async (scene) => {
      const agent = await startAgent();
      after(() => agent.stop());
      scene.agent = agent.socket;
      return ["--ssh", here(), ...bare(scene), "--ssh-key", authorised(scene, "secret")];
    },
    fix: /^ssh-add \S+$/,
  },
  {
    what: "an encrypted key without an agent",
    code: "no-usable-key",
    set: (scene) => ["--ssh", here(), ...bare(scene), "--ssh-key", authorised(scene, "secret")],
    fix: /^eval "\$\(ssh-agent -s\)" && ssh-add \S+$/,
  },
  {
    what: "a wrong user, as none is named",
    code: "auth-failed",
    set: (scene) => ["--ssh", `127.0.0.1:${sshd.port}`, ...bare(scene), "--ssh-key", authorised(scene)],
    fix: /no user is named, so it was \S+: USER@127\.0\.0\.1 names another/,
    follow: (scene) => ["--ssh", here(), ...scene.args.slice(2)],
  },
  {
    what: "a name without an address",
    code: "dns-not-found",
    set: (scene) => [
      "--ssh",
      `${sshd.user}@gpu-01.invalid:${sshd.port}`,
      ...bare(scene),
      "--ssh-key",
      authorised(scene),
    ],
    fix: /HostName.*: getent hosts gpu-01\.invalid$/,
    follow: (scene) => {
      const lines = ["Host gpu-01.invalid", "HostName 127.0.0.1"];
      return [...scene.args.slice(0, 2), ...config(scene, ...lines), ...scene.args.slice(4)];
    },
  },
  {
    what: "a port where nothing listens",
    code: "connection-refused",
    set: async (scene) => {
      port = await closedPort();
      writeFileSync(known(scene), knownHostsLines("127.0.0.1", port, sshd.hostKeys));
      return ["--ssh", here(port), ...bare(scene), "--ssh-key", authorised(scene)];
    },
    fix: SCAN,
    follow: async (scene) => {
      await listen(port, sshd.port);
      return scene.args;
    },
    shows: /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 /m,
  },
  {
    what: "a firewall that lets nothing through",
    code: "handshake-timeout",
    set: async (scene) => {
      port = await closedPort();
      silent = await listen(port, "silent");
      writeFileSync(known(scene), knownHostsLines("127.0.0.1", port, sshd.hostKeys));
      const fast = ["--ssh-timeout-secs", "0.5"];
      return ["--ssh", here(port), ...bare(scene), ...fast, "--ssh-key", authorised(scene)];
    },
    fix: SCAN,
    follow: async (scene) => {
      await new Promise((resolve) => silent?.close(resolve));
      await listen(port, sshd.port);
      return scene.args.map((arg) => (arg === "0.5" ? "10" : arg));
    },
    shows: /^\[127\.0\.0\.1\]:\d+ ssh-ed25519 /m,
  },
  {
    what: "a jump host that is unknown",
    code: "proxy-failed",
    set: (scene) => {
      const gate = ["Host inner", "HostName 127.0.0.1", "ProxyJump gate", "Host gate", "HostName 127.0.0.2"];
      const all = ["Host *", `User ${sshd.user}`, `Port ${sshd.port}`, `IdentityFile ${authorised(scene)}`];
      return ["--ssh", "inner", ...config(scene, ...gate, ...all), "--ssh-known-hosts", known(scene)];
    },
    fix: /ssh-keyscan -p \d+ 127\.0\.0\.2 >> /,
  },
  {
    what: "an accelerator without a tool",
    code: "no-tool",
    set: (scene) => {
      writeFileSync(known(scene), toolless.knownHostsLine());
      const key = authorised(scene, "", toolless);
      return ["--ssh", `${toolless.user}@127.0.0.1:${toolless.port}`, ...bare(scene), "--ssh-key", key];
    },
    fix: /install nvidia-smi .*on the host/,
    follow: (scene) => {
      makeTools(at("toolless-bin"), { "nvidia-smi": fakeNvidiaSmi() });
      return scene.args;
    },
  },
];

/** One run, as `allsmi-ssh --once ... > file` on a terminal. */
async function contact({ dir, args, agent }: Scene): Promise<Seen> {
  const env = {
    PATH: process.env["PATH"],
    HOME: join(dir, "home"),
    ...(agent === null ? {} : { SSH_AUTH_SOCK: agent }),
  };
  process.env["HOME"] = env.HOME;
  if (agent === null) delete process.env["SSH_AUTH_SOCK"];
  else process.env["SSH_AUTH_SOCK"] = agent;
  const command = await parseArgv(
    ["--once", "--ssh-fallback", "nvidia-smi", ...args],
    (file) => Promise.resolve(readFileSync(file, "utf8")),
    env,
  );
  assert.equal(command.kind, "run");
  const printed: string[] = [];
  let text = "";
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const beside = (name: string): URL => new URL(name, `file://${PROGRAM}`);
  const deps = {
    ...{ stdin: Readable.from([]), stdout, env, clock: realClock, random: Math.random },
    programs: { thread: beside("thread.js"), resolver: beside("resolver.cjs") },
    logTerminal: { columns: () => COLUMNS, write: () => undefined },
    logLine: (line: string) => void printed.push(line),
    onHangUp: () => Promise.resolve(),
    rereadTargets: null,
  };
  await run(command.options, command.warnings, deps, new AbortController().signal);
  const [record] = recordsOf(text);
  assert.ok(record, printed.join("\n"));
  return { record, printed };
}

/** Runs what was printed, as pasted into sh by somebody who types the passphrase; takes over an agent that it started. */
async function paste(
  command: string,
  scene: Scene,
): Promise<{ readonly code: number; readonly stdout: string }> {
  const script = `{ ${command}\n}; c=$?; printf '\\n%s\\n%s\\n' "$SSH_AUTH_SOCK" "$SSH_AGENT_PID"; exit $c`;
  const env = {
    PATH: `${at("local")}:${process.env["PATH"] ?? ""}`,
    HOME: join(scene.dir, "home"),
    SSH_ASKPASS: at("local", "askpass"),
    SSH_ASKPASS_REQUIRE: "force",
    ...(scene.agent === null ? {} : { SSH_AUTH_SOCK: scene.agent }),
  };
  return await new Promise((resolve) => {
    const child = execFile("sh", ["-c", script], { env, timeout: 30_000 }, (error, stdout) => {
      const [socket = "", pid = ""] = stdout.split("\n").slice(-3);
      if (socket !== "") scene.agent = socket;
      if (pid !== "") after(() => void process.kill(Number(pid)));
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout });
    });
    child.stdin?.end();
  });
}

describe("first contact, at 80 columns", { skip }, () => {
  before(async () => {
    const administrator = makeKey(at("administrator"));
    writeFileSync(at("administrators"), `${administrator.publicLine}\n`);
    const account = [
      "PasswordAuthentication yes",
      `AuthorizedKeysFile .ssh/authorized_keys ${at("administrators")}`,
    ];
    const bin = makeTools(at("bin"), { "nvidia-smi": fakeNvidiaSmi() });
    makeBus(at("bus"), [pciDevice("0302 10de:2330 0000:18:00.0")]);
    mkdirSync(at("toolless-bin"));
    [sshd, toolless] = await Promise.all([
      startSshd({ bin, addresses: ["127.0.0.1", "127.0.0.2"], config: account }),
      startSshd({ bin: at("toolless-bin"), config: [...account, `ForceCommand ${shellOnBus(at("bus"))}`] }),
    ]);
    // Whoever types the account's password has the administrator's key here.
    makeTools(at("local"), {
      ssh: `case " $* " in *PreferredAuthentications=publickey*|*ssh-keyscan*|*accept-new*) exec /usr/bin/ssh "$@";; *) exec /usr/bin/ssh -i ${administrator.file} "$@";; esac`,
      askpass: "echo secret",
    });
  });
  after(async () => {
    for (const [name, value] of Object.entries(ENVIRONMENT)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    for (const server of opened) server.close();
    await Promise.all([sshd.stop(), toolless.stop()]);
    temp.remove();
  });

  for (const [index, { what, code, set, fix, follow, shows }] of CONTACTS.entries()) {
    test(what, { timeout: 20_000 }, async () => {
      const scene: Scene = { dir: at(String(index)), args: [], agent: null };
      mkdirSync(join(scene.dir, "home"), { recursive: true });
      rmSync(join(sshd.home, ".ssh"), { recursive: true, force: true });
      writeFileSync(known(scene), sshd.knownHostsLine());
      scene.args = await set(scene);

      let seen = await contact(scene);
      assert.ok(seen.record.record === "state", "it is refused");
      assert.equal(seen.record.last_error?.code, code, JSON.stringify(seen.record.last_error));
      const text = seen.printed[0] ?? "";
      assert.match(text, fix.source.startsWith("^") ? new RegExp(fix.source.replace("^", "\\n {2}")) : fix);
      assert.ok(text.includes(seen.record.last_error.message), "the message is whole");
      assert.ok(text.endsWith(seen.record.last_error.fix ?? "\n"), "the fix is whole");

      if (follow !== undefined) {
        scene.args = await follow(scene);
        if (shows !== undefined) {
          const shown = await paste(
            (seen.record.last_error.fix ?? "").replace(/^.*: (?=ssh-keyscan )/, ""),
            scene,
          );
          assert.match(shown.stdout, shows);
        }
      } else {
        // A host whose key has changed is an unknown one next.
        for (let step = 0; step < 2 && seen.record.record === "state"; step++) {
          const [, command = ""] = (seen.printed[0] ?? "").split("\n  ");
          const pasted = await paste(command, scene);
          assert.equal(pasted.code, 0, command);
          seen = await contact(scene);
        }
      }
      if (follow !== undefined) seen = await contact(scene);
      assert.equal(seen.record.record, "frame", JSON.stringify(seen.record) + seen.printed.join("\n"));
    });
  }
});

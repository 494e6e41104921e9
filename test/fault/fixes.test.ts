/** Each `fix` is run as it is printed, by sh, and the host is reached then. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startAgent } from "../support/agent.js";
import { PROGRAM, recordsOf } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { canIsolate } from "../support/remote-machine.js";
import { makeKey } from "../support/ssh-key.js";
import { knownHostsLines, missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip = missing ?? (canIsolate() ? false : "needs namespaces for an account of its own");
const temp = makeTempDir("fixes");
const at = (...names: string[]): string => join(temp.path, ...names);
let sshd: Sshd;
let count = 0;

before(async () => {
  if (skip !== false) return;
  const bin = makeTools(at("bin"), {
    "nvidia-smi": fakeNvidiaSmi(),
  });
  const administrator = makeKey(at("administrator"));
  writeFileSync(at("administrators"), `${administrator.publicLine}\n`);
  sshd = await startSshd({
    bin,
    // Passwords are offered; nobody has one: who would type it has the administrator's key.
    config: ["PasswordAuthentication yes", `AuthorizedKeysFile .ssh/authorized_keys ${at("administrators")}`],
  });
  makeTools(at("local"), {
    ssh: `case " $* " in *PreferredAuthentications=publickey*) exec /usr/bin/ssh "$@";; *ssh-keyscan*|*accept-new*) exec /usr/bin/ssh "$@";; *) exec /usr/bin/ssh -i ${administrator.file} "$@";; esac`,
    askpass: "echo secret",
  });
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs sh as a user with an empty home would, who answers each question for a passphrase. */
function sh(script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      "sh",
      ["-c", script, "sh", ...args],
      {
        env: {
          PATH: `${at("local")}:${process.env["PATH"] ?? ""}`,
          SSH_ASKPASS: at("local", "askpass"),
          SSH_ASKPASS_REQUIRE: "force",
          ...env,
        },
        timeout: 60_000,
      },
      (error, stdout, stderr) =>
        resolve({
          code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
          stdout,
          stderr,
        }),
    );
    child.stdin?.end();
  });
}

const CLI = `"${process.execPath}" "${PROGRAM}" "$@"`;
const STOP_AGENT = `c=$?; if [ -n "$SSH_AGENT_PID" ]; then ssh-agent -k >/dev/null; fi; exit $c`;

interface Scene {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A fresh home here and there; known_hosts knows the host. */
function scene(dir: string): string {
  rmSync(join(sshd.home, ".ssh"), { recursive: true, force: true });
  mkdirSync(at(dir, "home"), { recursive: true });
  writeFileSync(at(dir, "known"), sshd.knownHostsLine());
  return at(dir);
}

async function assertFixed(
  code: string,
  fixed: RegExp,
  set: (dir: string) => Scene | Promise<Scene>,
): Promise<void> {
  const dir = scene(`it's scene ${(count += 1)}`);
  const { args, env = {} } = await set(dir);
  const all = [
    "--once",
    "--ssh-fallback",
    "nvidia-smi",
    "--ssh",
    `${sshd.user}@127.0.0.1:${sshd.port}`,
    ...args,
  ];
  const around = { HOME: join(dir, "home"), ...env };
  const broken = await sh(CLI, all, around);
  const [state] = recordsOf(broken.stdout);
  assert.ok(state?.record === "state", broken.stdout + broken.stderr);
  assert.equal(state.last_error?.code, code, broken.stdout);
  const fix = state.last_error.fix ?? "";
  assert.match(fix, fixed);
  const rerun = await sh(`{ ${fix}\n} >&2 || exit 99; ${CLI}; ${STOP_AGENT}`, all, around);
  const [frame] = recordsOf(rerun.stdout);
  assert.equal(frame?.record, "frame", `${fix}\n${rerun.stdout}${rerun.stderr}`);
}

const known = (dir: string): string[] => ["--ssh-known-hosts", join(dir, "known")];
const bare = ["--ssh-config", "none"];

test("a key that the account does not have yet, in a path that needs quotes", { skip }, () =>
  assertFixed("auth-failed", /ssh-copy-id -i '.*my key\.pub' .*-p \d+ watcher@127\.0\.0\.1$/, (dir) => ({
    args: [...bare, ...known(dir), "--ssh-key", makeKey(join(dir, "my key")).file],
  })),
);

test("a key without its public half in a file", { skip }, () =>
  assertFixed("auth-failed", /ssh-keygen -y -f .* && ssh-copy-id -i /, (dir) => {
    const key = makeKey(join(dir, "key"));
    rmSync(`${key.file}.pub`);
    return { args: [...bare, ...known(dir), "--ssh-key", key.file] };
  }),
);

test("a key that only the agent has", { skip }, async (t) => {
  const agent = await startAgent();
  t.after(() => agent.stop());
  await assertFixed("auth-failed", /^(mkdir .* && )?printf .*ssh-ed25519 AAAA.* \| ssh /, (dir) => {
    agent.add(makeKey(join(dir, "elsewhere")));
    return { args: [...bare, ...known(dir)], env: { SSH_AUTH_SOCK: agent.socket } };
  });
});

test("no key at all, in a folder that is not there, with a config of one's own", { skip }, () =>
  assertFixed("no-usable-key", /mkdir -p -m 700 .* && ssh-keygen .* && .*ssh-copy-id -i .* -F /, (dir) => {
    writeFileSync(join(dir, "ssh config"), `IdentityFile "${join(dir, "keys", "new")}"\n`);
    return { args: ["--ssh-config", join(dir, "ssh config"), ...known(dir)] };
  }),
);

/** Puts the key among the account's before it is made unusable here. */
async function authorised(dir: string, passphrase = ""): Promise<string> {
  const key = makeKey(join(dir, "key"), { passphrase });
  mkdirSync(join(sshd.home, ".ssh"), { mode: 0o700 });
  writeFileSync(join(sshd.home, ".ssh", "authorized_keys"), `${key.publicLine}\n`);
  return Promise.resolve(key.file);
}

test("a key that others may read", { skip }, () =>
  assertFixed("no-usable-key", /^chmod 600 /, async (dir) => {
    const file = await authorised(dir);
    chmodSync(file, 0o644);
    return { args: [...bare, ...known(dir), "--ssh-key", file] };
  }),
);

test("an encrypted key, where no agent runs", { skip }, () =>
  assertFixed("no-usable-key", /^eval "\$\(ssh-agent -s\)" && ssh-add /, async (dir) => ({
    args: [...bare, ...known(dir), "--ssh-key", await authorised(dir, "secret")],
  })),
);

test("an encrypted key, with an agent that runs", { skip }, async (t) => {
  const agent = await startAgent();
  t.after(() => agent.stop());
  await assertFixed("no-usable-key", /^ssh-add /, async (dir) => ({
    args: [...bare, ...known(dir), "--ssh-key", await authorised(dir, "secret")],
    env: { SSH_AUTH_SOCK: agent.socket },
  }));
});

for (const client of ["ssh2", "openssh"]) {
  test(`a host key that is new, for a known_hosts in a folder that is not there: ${client}`, { skip }, () =>
    assertFixed("host-key-unknown", /^mkdir -p -m 700 .* && ssh/, async (dir) => ({
      args: [
        ...[...bare, "--ssh-known-hosts", join(dir, "new", "known"), "--ssh-key", await authorised(dir)],
        ...["--ssh-client", client],
      ],
    })),
  );
}

test("a host key that is new, after a last line without its newline", { skip }, () =>
  assertFixed("host-key-unknown", /^\{ echo; ssh-keyscan -p \d+ 127\.0\.0\.1; \} >> /, async (dir) => {
    writeFileSync(join(dir, "known"), knownHostsLines("other", 22, sshd.hostKeys).trimEnd());
    return { args: [...bare, ...known(dir), "--ssh-key", await authorised(dir)] };
  }),
);

test("a host key that is new under an alias, hashed, by the config's own known_hosts", { skip }, () =>
  assertFixed("host-key-unknown", /^ssh .*accept-new/, async (dir) => {
    writeFileSync(
      join(dir, "config"),
      `HostKeyAlias GPU\nHashKnownHosts yes\nUserKnownHostsFile "${join(dir, "empty")}"\nIdentityFile "${await authorised(dir)}"\n`,
    );
    return { args: ["--ssh-config", join(dir, "config")] };
  }),
);

test("a host key that has changed", { skip }, () =>
  assertFixed("host-key-changed", /^ssh-keygen -R '\[127\.0\.0\.1\]:\d+' -f /, async (dir) => {
    writeFileSync(join(dir, "known"), knownHostsLines("127.0.0.1", sshd.port, [makeKey(join(dir, "old"))]));
    const policy = ["--ssh-strict-host-key", "accept-new"];
    return { args: [...bare, ...known(dir), ...policy, "--ssh-key", await authorised(dir)] };
  }),
);

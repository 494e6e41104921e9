/** ControlPath over a real server: a login that somebody keeps open is ridden on, as ssh does, and none is left behind. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { realClock } from "../../../src/lib/clock.js";
import { answersAsMaster } from "../../../src/ssh/openssh/control-master.js";
import { makeKey } from "../../support/ssh-key.js";
import * as sshd from "../../support/sshd.js";
import { makeTempDir, type TempDir } from "../../support/temp-dir.js";
import { askUs, type OurOutcome } from "./ours.js";
import { describeOutcome } from "./outcome.js";

const run = promisify(execFile);
// The system's ssh gets the environment of the process.
process.env["CM_SUB"] = "by-variable";
const ENV = { ...process.env, SSH_AUTH_SOCK: undefined };

describe("control masters", { skip: sshd.missing ?? false }, () => {
  let server: sshd.Sshd;
  let temp: TempDir;
  let number = 0;
  before(async () => {
    temp = makeTempDir("cm");
    server = await sshd.startSshd();
    // The server takes only the second factor's key, and the config has only the other.
    makeKey(join(temp.path, "id"));
  });
  after(async () => {
    await server.stop();
    temp.remove();
  });

  interface Login {
    readonly dir: string;
    readonly configFile: string;
    readonly socket: () => Promise<string>;
    readonly open: (host?: string) => void;
    readonly close: (host?: string) => void;
    readonly ours: (client?: "auto" | "openssh") => Promise<OurOutcome>;
    readonly theirs: () => Promise<number>;
  }

  /** `DIR` in the lines is a folder of the login's own. */
  function login(lines: readonly string[], target = "gpu-login"): Login {
    const dir = join(temp.path, `l${number++}`);
    mkdirSync(join(dir, "by-variable"), { recursive: true, mode: 0o700 });
    const configFile = join(dir, "config");
    const text = [
      ...lines,
      "Host *",
      "HostName 127.0.0.1",
      `Port ${server.port}`,
      `User ${server.user}`,
      `IdentityFile ${join(temp.path, "id")}`,
      "IdentitiesOnly yes",
      "IdentityAgent none",
      `UserKnownHostsFile ${server.knownHostsFile}`,
      "GlobalKnownHostsFile /dev/null",
    ].join("\n");
    writeFileSync(configFile, `${text.replaceAll("DIR", dir)}\n`, { mode: 0o600 });
    const ssh = (...args: readonly string[]): string[] => ["-F", configFile, ...args];
    return {
      dir,
      configFile,
      socket: async () => {
        const { stdout } = await run("ssh", ssh("-G", target), { env: ENV });
        return /^controlpath (.+)$/m.exec(stdout)?.[1] ?? "";
      },
      open: (host = target) => {
        const key = `IdentityFile=${server.userKey.file}`;
        const options = ["-o", key, "-o", "ControlMaster=yes", "-o", "ControlPersist=yes"];
        const child = spawnSync("ssh", ssh(...options, "-fN", host), { env: ENV, stdio: "ignore" });
        assert.equal(child.status, 0, "no master could be started");
      },
      close: (host = target) => {
        spawnSync("ssh", ssh("-O", "exit", host), { env: ENV, stdio: "ignore" });
      },
      ours: (client = "auto") => askUs({ configFile, keyFiles: [], target, env: ENV, client }),
      theirs: async () => {
        try {
          await run("ssh", ssh("-o", "BatchMode=yes", target, "true"), { env: ENV });
          return 0;
        } catch (error) {
          return error instanceof Error && "code" in error ? Number(error.code) : -1;
        }
      },
    };
  }

  const AUTO = ["ControlMaster auto", "ControlPath DIR/cm-%C", "ControlPersist 10m"];

  test("without a master ssh2 is used, and none is left", async () => {
    const { ours, theirs, dir } = login(AUTO);
    const before = await ours();
    assert.equal(describeOutcome(before.outcome), "refused: auth");
    assert.equal(await theirs(), 255);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith("cm-")),
      [],
    );
  });

  const tokens = [
    "DIR/cm-%C",
    "DIR/%r@%h:%p",
    "DIR/%i-%n-%k",
    "DIR/%u-%%",
    "DIR/%L",
    "DIR/%l",
    "${CM_HOME}/%C",
    "DIR/${CM_SUB}/s",
    '"DIR/with blank"',
  ];
  for (const path of tokens) {
    test(`ControlPath ${path}`, async () => {
      const opened = login([`ControlPath ${path.replace("${CM_HOME}", "DIR")}`]);
      opened.open();
      try {
        assert.ok(existsSync(await opened.socket()));
        const { outcome, client } = await opened.ours();
        assert.deepEqual(
          [describeOutcome(outcome), client, await opened.theirs()],
          ["reached 0", "openssh", 0],
        );
      } finally {
        opened.close();
      }
      const { outcome } = await opened.ours();
      assert.deepEqual([describeOutcome(outcome), await opened.theirs()], ["refused: auth", 255]);
    });
  }

  test("~ is the home of the password database", async () => {
    const name = `.allsmi-cm-${process.pid}`;
    const opened = login([`ControlPath ~/${name}`]);
    const socket = join(userInfo().homedir, name);
    opened.open();
    try {
      assert.equal(await opened.socket(), socket);
      assert.equal((await opened.ours()).client, "openssh");
    } finally {
      opened.close();
      rmSync(socket, { force: true });
    }
  });

  test("ControlMaster yes and ask ride on none, as with ssh", async () => {
    for (const mode of ["yes", "ask"]) {
      const opened = login([`ControlMaster ${mode}`, "ControlPath DIR/cm"]);
      opened.open();
      try {
        assert.equal(await opened.theirs(), 255);
        for (const client of ["auto", "openssh"] as const) {
          assert.equal(
            describeOutcome((await opened.ours(client)).outcome),
            "refused: auth",
            `${mode} by ${client}`,
          );
        }
      } finally {
        opened.close();
      }
    }
  });

  test("a jump host's master carries us to the host behind it", async () => {
    const opened = login(
      [
        "Host gate",
        "ControlPath DIR/gate-%r@%h-%n",
        "Host behind",
        "ProxyJump gate",
        `IdentityFile ${server.userKey.file}`,
      ],
      "behind",
    );
    opened.open("gate");
    try {
      const { outcome, client } = await opened.ours();
      assert.deepEqual(
        [describeOutcome(outcome), client, await opened.theirs()],
        ["reached 0", "openssh", 0],
      );
    } finally {
      opened.close("gate");
    }
    assert.equal(await opened.theirs(), 255);
    assert.match(describeOutcome((await opened.ours()).outcome), /^refused: (proxy|auth)$/);
  });

  test("by the system's ssh no master is started nor left, neither of the host nor of its jump host", async () => {
    const key = [`IdentityFile ${server.userKey.file}`];
    const { ours, dir } = login(
      [
        ...key,
        "ControlMaster auto",
        "ControlPersist 10m",
        "ControlPath DIR/cm-%n",
        "Host behind",
        "ProxyJump a,b",
      ],
      "behind",
    );
    const { outcome, client } = await ours("openssh");
    assert.deepEqual([describeOutcome(outcome), client], ["reached 0", "openssh"]);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith("cm-")),
      [],
    );
  });

  test("sockets that are no live master", async () => {
    const path = join(temp.path, "other");
    assert.equal(await answersAsMaster(path, realClock), false, "nothing there");
    for (const [what, answer] of [
      ["closes", null],
      ["sends nothing", ""],
      ["speaks something else", "SSH-2.0-OpenSSH_9.2\r\n"],
    ] as const) {
      const other = createServer((socket) => {
        socket.on("error", () => undefined).resume();
        if (answer === null) socket.destroy();
        else socket.write(answer);
      });
      await new Promise<void>((resolve) => other.listen(path, resolve));
      assert.equal(await answersAsMaster(path, realClock), false, what);
      await new Promise((resolve) => other.close(resolve));
    }
    writeFileSync(path, "");
    assert.equal(await answersAsMaster(path, realClock), false, "a plain file");
  });
});

/**
 * Every command in README runs, on a fleet with one dead host, and prints what stands there. UPDATE_GOLDEN=1 writes the
 * outputs anew. Addresses and ports of the test's servers are shown as those of README's hosts.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROGRAM } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { closedPort, freePort } from "../support/free-port.js";
import { knownHostsLines, missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = join(ROOT, "README.md");
const text = readFileSync(README, "utf8");
/** They need a registry, or install into the machine; npm's scripts among them are looked up. */
const INSTALLATION = ["npm ci && npm run demo", "npm install --global .", "npm pack"];

interface Block {
  readonly kind: string;
  readonly body: string;
}

const blocks: readonly Block[] = [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(
  ([, kind = "", body = ""]) => ({ kind, body }),
);

/** Lines of `sh` blocks without their comments. */
const commands = blocks
  .filter(({ kind }) => kind === "sh")
  .flatMap(({ body }) => body.trimEnd().split("\n"))
  .map((line) => line.replace(/ +# .*$/, ""));

interface Shown {
  readonly command: string;
  readonly output: string;
}

const shown: readonly Shown[] = blocks
  .filter(({ kind }) => kind === "console")
  .flatMap(({ body }) => body.split(/^\$ /m).slice(1))
  .map((part) => {
    const end = part.indexOf("\n");
    return { command: part.slice(0, end), output: part.slice(end + 1) };
  });

/** A dead host is in the fleet. */
const SOME_FAILED = 3;
const hasJq = process.env["PATH"]?.split(":").some((dir) => existsSync(join(dir, "jq"))) === true;
const skip = missing ?? (hasJq ? false : "SKIPPED LOUDLY: jq is not installed");
const temp = makeTempDir("readme");
let sshd: Sshd;
let metricsPort = 0;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bash(command: string): Promise<Ran> {
  const env = { PATH: `${temp.path}:${process.env["PATH"] ?? ""}`, LC_ALL: "C.UTF-8" };
  const here = command.replace("--listen 9400", `--listen ${metricsPort}`);
  return new Promise((resolve) => {
    execFile(
      "bash",
      ["--norc", "-c", here],
      { cwd: temp.path, env, timeout: 30_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

/** With README's addresses. */
function asShown(output: string): string {
  return output
    .replaceAll(/127\.0\.0\.(\d)/g, "10.12.0.$1")
    .replaceAll(/\bport \d+/g, "port 22")
    .replaceAll(/-p \d+ /g, "-p 22 ");
}

describe("README's commands", { skip, concurrency: 2 }, () => {
  before(async () => {
    const perHost = (first: number, second: number): string =>
      `$(case $SSH_CONNECTION in *127.0.0.2*) echo ${second};; *) echo ${first};; esac)`;
    const name = "NVIDIA H100 80GB HBM3";
    const bin = makeTools(join(temp.path, "bin"), {
      "nvidia-smi": fakeNvidiaSmi({
        rows: [
          `0, GPU-1, ${name}, 580.95.05, ${perHost(78, 97)}, 51405, 81559, ${perHost(61, 88)}, 1980, 658.10`,
          `1, GPU-2, ${name}, 580.95.05, ${perHost(64, 91)}, 43213, 81559, ${perHost(58, 57)}, 1980, 469.25`,
        ],
      }),
    });
    sshd = await startSshd({ bin, addresses: ["127.0.0.1", "127.0.0.2"], shell: "/bin/sh" });
    const known = join(temp.path, "known_hosts");
    writeFileSync(
      known,
      sshd.addresses.map((address) => knownHostsLines(address, sshd.port, sshd.hostKeys)).join(""),
    );
    const host = (alias: string, address: string, port: number): string =>
      `Host ${alias}\n  HostName ${address}\n  Port ${port}\n`;
    const config = [
      host("dgx-01", "127.0.0.1", sshd.port),
      host("dgx-02", "127.0.0.2", sshd.port),
      host("dgx-03", "127.0.0.3", await closedPort()),
      `Host *\n  User ${sshd.user}\n  IdentityFile ${sshd.userKey.file}\n  IdentityAgent none\n`,
      `  UserKnownHostsFile ${known}\n  GlobalKnownHostsFile none\n`,
    ];
    writeFileSync(join(temp.path, "config"), config.join(""));
    const hostfile = blocks.find(({ kind, body }) => kind === "" && body.includes("rack="));
    writeFileSync(join(temp.path, "hosts.txt"), hostfile?.body ?? "");
    metricsPort = await freePort(["127.0.0.1"]);
    // A watch without an end is one of a single reading here.
    makeTools(temp.path, {
      "allsmi-ssh": `case " $* " in *" --once "*|*" --check "*|*" --dry-run "*) ;; *) set -- "$@" --count 1;; esac\nexec '${process.execPath}' '${PROGRAM}' "$@" --ssh-config '${join(temp.path, "config")}'`,
    });
  });
  after(async () => {
    await sshd.stop();
    temp.remove();
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(README, written);
  });

  let written = text;
  for (const { command, output } of shown) {
    test(`$ ${command}`, async () => {
      const ran = await bash(command);
      const now = asShown(ran.stdout + ran.stderr);
      if (process.env["UPDATE_GOLDEN"] === "1")
        written = written.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${now}`);
      else assert.equal(now, output);
    });
  }

  for (const command of commands.filter((each) => !INSTALLATION.includes(each))) {
    test(command, async () => {
      assert.match(command, /^allsmi-ssh /);
      const ran = await bash(command);
      const isFleet = command.includes("hosts.txt");
      const expected = isFleet ? SOME_FAILED : 0;
      assert.equal(ran.code, expected, ran.stdout + ran.stderr);
      if (command.includes("--output")) {
        assert.match(
          readFileSync(join(temp.path, "gpus.prom"), "utf8"),
          /^allsmi_host_up\{host="admin@127\.0\.0\.3:.*\} 0$/m,
        );
      } else if (!command.includes("--listen")) assert.match(ran.stdout, /dgx-01/);
    });
  }

  test("installation: only npm's own commands, and scripts that are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const run = INSTALLATION.flatMap((line) =>
      [...line.matchAll(/npm run (\S+)/g)].map(([, name = ""]) => name),
    );
    assert.deepEqual(
      run.filter((name) => scripts[name] === undefined),
      [],
    );
    assert.ok(scripts["prepare"]?.includes("build"), "npm ci and npm pack build it");
    for (const line of INSTALLATION) assert.ok(commands.includes(line), line);
  });
});

test("README's links lead to files, and it is no longer than two hundred lines", () => {
  const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, to = ""]) => to);
  assert.ok(links.length > 20);
  assert.deepEqual(
    links.filter((to) => !existsSync(join(ROOT, to))),
    [],
  );
  assert.ok(text.split("\n").length <= 200);
});

/** Counts that are promised: writes and bytes a tick, login shells a session, packages that `--help` loads. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PROGRAM, recordsOf, runCli } from "../support/cli.js";
import { fakeNvidiaSmi, makeTools } from "../support/fake-tools.js";
import { startRelay } from "../support/relay.js";
import { knownHostsLines, missing, startSshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const TICKS = 12;
/** Makes ssh2's native addon unloadable, as where install scripts are not run. */
const WITHOUT_ADDON =
  "data:text/javascript,import Module from 'node:module';const load=Module._extensions['.node'];" +
  "Module._extensions['.node']=(m,f)=>{if(f.endsWith('sshcrypto.node'))throw new Error('left out');return load(m,f)};";

describe("what a tick sends", { concurrency: 3 }, () => {
  for (const [name, env] of [
    ["with ssh2's native addon", {}],
    ["JS only", { NODE_OPTIONS: `--import "${WITHOUT_ADDON}"` }],
  ] as const) {
    test(
      `a tick is one write of at most 100 bytes, a session one login shell: ${name}`,
      { skip: missing ?? false },
      async (t) => {
        const temp = makeTempDir("wire");
        const bin = makeTools(join(temp.path, "bin"), {
          "nvidia-smi": fakeNvidiaSmi(),
        });
        const sshd = await startSshd({ bin, shell: "/bin/bash" });
        const relay = await startRelay(sshd.port);
        try {
          if (!sshd.isolated) {
            t.skip("no namespaces: the login shell and its rc file are this user's own");
            return;
          }
          const starts = join(temp.path, "starts");
          writeFileSync(starts, "");
          // Debian's bash reads it at every exec of sshd; where it does not, no start is counted.
          writeFileSync(join(sshd.home, ".bashrc"), `echo >>${starts}\n`);
          const known = join(temp.path, "known_hosts");
          writeFileSync(known, knownHostsLines("127.0.0.1", relay.port, sshd.hostKeys));
          const sent: { readonly writes: number; readonly bytes: number }[] = [];
          const run = await runCli(
            [
              ...["--ssh", `${sshd.user}@127.0.0.1:${relay.port}`, "--ssh-config", "none"],
              ...["--ssh-key", sshd.userKey.file, "--ssh-known-hosts", known, "--ssh-fallback", "nvidia-smi"],
              ...["--interval", "1", "--count", String(TICKS)],
            ],
            {
              env,
              started: (child) =>
                child.stdout?.on("data", (chunk: Buffer) => {
                  if (chunk.includes('"record":"frame"'))
                    sent.push({ writes: relay.clientWrites(), bytes: relay.clientBytes() });
                }),
            },
          );
          assert.equal(run.code, 0, run.stderr);
          const frames = recordsOf(run.stdout).filter((record) => record.record === "frame");
          // A busy machine may start late or skip a tick; what is counted needs some ticks in a row.
          assert.ok(frames.length >= TICKS / 2, `${frames.length} frames`);
          // The first tick after the bootstrap defines the script.
          for (let tick = 3; tick < sent.length; tick++) {
            const writes = (sent[tick]?.writes ?? NaN) - (sent[tick - 1]?.writes ?? NaN);
            const bytes = (sent[tick]?.bytes ?? NaN) - (sent[tick - 1]?.bytes ?? NaN);
            assert.equal(writes, 1, `writes in tick ${tick}`);
            assert.ok(bytes > 0 && bytes <= 100, `${bytes} bytes in tick ${tick}`);
          }
          assert.ok(readFileSync(starts, "utf8").length <= 1, "login shells");
        } finally {
          await relay.stop();
          await sshd.stop();
          temp.remove();
        }
      },
    );
  }

  test("the addon is left out when it is meant to be", () => {
    const probe =
      "try{require('ssh2/lib/protocol/crypto/build/Release/sshcrypto.node');process.exit(3)}catch{process.exit(0)}";
    const root = fileURLToPath(new URL("../..", import.meta.url));
    execFileSync(process.execPath, ["--import", WITHOUT_ADDON, "-e", probe], { cwd: root });
  });

  /** Prints at the end which CommonJS packages were loaded; ssh2 is one. */
  const PRINT_PACKAGES =
    "data:text/javascript,import Module from 'node:module';process.on('exit',()=>{" +
    "for(const file of Object.keys(Module._cache))process.stderr.write(file+String.fromCharCode(10))});";

  function packagesOf(args: readonly string[]): string {
    const argv = [
      "-c",
      'exec "$@" 2>&1 >/dev/null',
      "sh",
      process.execPath,
      "--import",
      PRINT_PACKAGES,
      ...args,
    ];
    return execFileSync("sh", argv, {
      encoding: "utf8",
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
    });
  }

  test("--help and --version load neither ssh2 nor the table", () => {
    const loading = packagesOf([
      "--input-type=module",
      "-e",
      "await import('ssh2'); await import('cli-table3')",
    ]);
    assert.match(loading, /node_modules\/ssh2\//);
    assert.match(loading, /node_modules\/cli-table3\//);
    for (const flag of ["--help", "--version"]) {
      assert.doesNotMatch(packagesOf([PROGRAM, flag]), /node_modules\/(ssh2|cli-table3|ndjson)\//, flag);
    }
  });
});

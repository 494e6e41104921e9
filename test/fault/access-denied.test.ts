/** Accounts whose key is right and that are refused all the same, over real sshds, by both clients. */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { StateRecord } from "../../src/contract/record.js";
import { recordsOf, runCli } from "../support/cli.js";
import { H100_ROW } from "../support/fake-tools.js";
import { canIsolate } from "../support/remote-machine.js";
import { missing, sshArgs, startSshd, type Sshd, type SshdOptions } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const skip =
  missing ?? (canIsolate() ? false : "needs namespaces for a login shell and PAM rules of its own");
const temp = makeTempDir("denied");
after(() => temp.remove());

function script(name: string, body: string): string {
  const file = join(temp.path, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const account = (...lines: readonly string[]): string[] => [
  "auth required pam_permit.so",
  ...lines.map((line) => `account required ${line}`),
  "session required pam_permit.so",
];
const SLURM = "Access denied by pam_slurm_adopt: you have no active jobs on this node";

/** Sets fields of the user's line in the made-up /etc/shadow. */
function shadow(server: Sshd, fields: string): void {
  const file = join(server.dir, "shadow");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^(watcher:\*):.*$/m, `$1:${fields}`));
}

interface Case {
  readonly what: string;
  readonly options: () => SshdOptions;
  readonly prepare?: (server: Sshd) => void;
  readonly phase: "auth" | "probe";
  readonly expectedMessage: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "pam_slurm_adopt without a job",
    options: () => ({
      pam: account(`pam_exec.so quiet stdout ${script("slurm", `echo '${SLURM}'; exit 1`)}`),
    }),
    phase: "auth",
    expectedMessage: new RegExp(`refused the login: "?${SLURM}`),
  },
  {
    what: "a refusal of two lines after a long banner",
    options: () => ({
      config: ["Banner /etc/services"],
      pam: account(
        `pam_exec.so quiet stdout ${script("two", "printf 'Maintenance until Monday.\\n\\033[31mAsk ops.\\n'; exit 1")}`,
      ),
    }),
    phase: "auth",
    expectedMessage: /refused the login: .*Maintenance until Monday\.; .*\[31mAsk ops\./,
  },
  {
    what: "an account rule that gives no reason",
    options: () => ({ pam: account("pam_deny.so") }),
    phase: "auth",
    expectedMessage: /refused the login: .*(without a reason|Connection closed)/,
  },
  {
    what: "an expired account",
    options: () => ({ pam: account("pam_unix.so") }),
    prepare: (server) => shadow(server, "19000:0:99999:7::1:"),
    phase: "auth",
    expectedMessage: /account has expired/,
  },
  {
    what: "an expired password",
    options: () => ({ pam: account("pam_unix.so") }),
    prepare: (server) => shadow(server, "0:0:99999:7:::"),
    phase: "probe",
    expectedMessage: /password has expired/i,
  },
  {
    what: "a PAM session that does not open",
    options: () => ({
      pam: ["auth required pam_permit.so", "account required pam_permit.so", "session requisite pam_deny.so"],
    }),
    phase: "probe",
    expectedMessage: /may run nothing/,
  },
  {
    what: "a nologin shell",
    options: () => ({ shell: "/usr/sbin/nologin" }),
    phase: "probe",
    expectedMessage: /"This account is currently not available\."/,
  },
  {
    what: "/bin/false for a shell",
    options: () => ({ shell: "/bin/false" }),
    phase: "probe",
    expectedMessage: /without a message \(exit code 1\)/,
  },
  {
    what: "/bin/true for a shell",
    options: () => ({ shell: "/bin/true" }),
    phase: "probe",
    expectedMessage: /without a message \(exit code 0\)/,
  },
  {
    what: "a forced command that locks the account",
    options: () => ({ config: ["ForceCommand echo 'Your account is locked, call 1234' >&2; exit 3"] }),
    phase: "probe",
    expectedMessage: /Your account is locked, call 1234/,
  },
];

describe("access-denied, by both clients", { skip, concurrency: 3 }, () => {
  for (const { what, options, prepare, phase, expectedMessage } of CASES) {
    test(`${what}: access-denied, retried slowly`, async (t) => {
      const server = await startSshd(options());
      t.after(() => server.stop());
      prepare?.(server);
      for (const client of ["ssh2", "openssh"]) {
        const run = await runCli([...[...sshArgs(server), "--ssh-client", client, "--once"]]);
        const [record] = recordsOf(run.stdout) as StateRecord[];
        assert.ok(record, `${client}: ${run.stderr}`);
        const error = record.last_error;
        assert.deepEqual(
          { state: record.state, code: error?.code, phase: error?.phase },
          { state: "auth-failed", code: "access-denied", phase },
          `${client}: ${run.stdout}`,
        );
        assert.match(error?.message ?? "", expectedMessage, client);
        assert.ok((error?.message.length ?? 0) < 500, error?.message);
        assert.doesNotMatch(error?.message ?? "", /[\u0000-\u001f]/);
        assert.match(error?.fix ?? "", /chage -l/);
        assert.equal(run.code, 4, run.stderr);
      }
    });
  }
});

test("a sentry that lets one command through is read by it", { skip }, async (t) => {
  const sentry = script(
    "sentry",
    `case $SSH_ORIGINAL_COMMAND in nvidia-smi*--query-gpu*) echo "${H100_ROW}";; *) echo 'Access denied' >&2; exit 1;; esac`,
  );
  const server = await startSshd({ config: [`ForceCommand ${sentry}`] });
  t.after(() => server.stop());
  const run = await runCli([...[...sshArgs(server), "--once", "--ssh-fallback", "nvidia-smi"]]);
  const [record] = recordsOf(run.stdout);
  assert.equal(record?.record, "frame", run.stdout);
});

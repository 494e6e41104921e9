import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../src/contract/errors.js";
import type { AnswerEnd } from "../../src/remote/ended.js";
import { loginDenial, unlessDenied } from "../../src/remote/probe-failures.js";
import type { PartOutputs } from "../../src/shims/kit/shim.js";

const exit = (code: number): AnswerEnd => ({ kind: "exit", code });

/** The output, how it ended, and whether that is a denial: certainly, perhaps, or not at all. */
const cases: readonly (readonly [string, AnswerEnd, "certain" | "perhaps" | "none"])[] = [
  ["This account is currently not available.", exit(1), "certain"],
  ["WARNING: Your password has expired.\nPassword change required but no TTY available.", exit(1), "certain"],
  ["You are required to change your password immediately (administrator enforced).", exit(1), "certain"],
  ["Your account has expired; please contact your system administrator.", exit(1), "certain"],
  ["System is going down. Unprivileged users are not permitted to log in anymore.", exit(254), "certain"],
  ["Too many logins for 'watcher'.", exit(254), "certain"],
  ["Zu viele Anmeldungen", exit(254), "certain"],
  ["fatal: Interactive git shell is not enabled.", exit(128), "certain"],
  ["Hi x! You've successfully authenticated, but GitHub does not provide shell access.", exit(1), "certain"],
  ["Your account is locked", { kind: "lost" }, "certain"],
  ["", exit(1), "perhaps"],
  ["", exit(0), "perhaps"],
  ["Access denied", exit(1), "perhaps"],
  ["Access denied by pam_slurm_adopt: you have no active jobs on this node", exit(1), "perhaps"],
  [
    "'exec' is not recognized as an internal or external command,\noperable program or batch file.",
    exit(1),
    "none",
  ],
  ["% Invalid input detected at '^' marker.", exit(1), "none"],
  ["not for you", exit(1), "none"],
  ["", { kind: "lost" }, "none"],
  ["", { kind: "signal", signal: "SIGKILL" }, "none"],
  ["This account is currently not available.", { kind: "hung" }, "none"],
];

for (const [output, end, expected] of cases) {
  test(`${JSON.stringify(output)} ${JSON.stringify(end)}: ${expected}`, () => {
    const denial = loginDenial(output, end);
    assert.equal(denial === null ? "none" : denial.isCertain ? "certain" : "perhaps", expected);
    if (denial === null) return;
    assert.equal(denial.error.failure.code, "access-denied");
    assert.ok(denial.error.message.includes(output.split("\n")[0] ?? ""), denial.error.message);
  });
}

test("a denial that is not certain gives way to a tool that answers, and explains one that does not", async () => {
  const denial = loginDenial("", exit(0));
  assert.ok(denial);
  const answered = (stdout: string): { outputs: PartOutputs } => ({
    outputs: new Map([["gpus", { stdout, stderr: "", end: { kind: "exit", code: 0 } }]]),
  });
  const real = answered("0, GPU-1");
  assert.equal(await unlessDenied(Promise.resolve(real), denial), real);
  await assert.rejects(unlessDenied(Promise.resolve(answered("")), denial), denial.error);
  const none = new HostError("no-tool", "probe", "found none");
  await assert.rejects(unlessDenied(Promise.reject(none), denial), denial.error);
  await assert.rejects(unlessDenied(Promise.reject(none), null), none);
  const bug = new TypeError("a bug");
  await assert.rejects(unlessDenied(Promise.reject(bug), denial), bug);
});

test("a refusal of the account that only the plain commands print is a denial, unless one of them works", async () => {
  const answered = (code: number): { outputs: PartOutputs } => ({
    outputs: new Map([
      ["gpus", { stdout: "", stderr: "WARNING: Your password has expired.", end: { kind: "exit", code: 1 } }],
      ["cpus", { stdout: "", stderr: "", end: { kind: "exit", code } }],
    ]),
  });
  await assert.rejects(unlessDenied(Promise.resolve(answered(1)), null), (error: unknown) => {
    assert.ok(error instanceof HostError);
    assert.equal(error.failure.code, "access-denied");
    assert.match(error.message, /"WARNING: Your password has expired\." \(exit code 1\)/);
    return true;
  });
  const working = answered(0);
  assert.equal(await unlessDenied(Promise.resolve(working), null), working);
});

import assert from "node:assert/strict";
import test from "node:test";
import { ignoreOtherHostKeys, requestsAhead } from "../../../../src/ssh/ssh2/fast/round-trips.js";

const SSHD_ALGORITHMS = ["ssh-ed25519", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"];

test("requests are sent ahead only to a server that is known to take them", () => {
  const none = { beforeServiceAccept: false, keyWithNone: false };
  const cases = [
    ["OpenSSH_9.2p1", SSHD_ALGORITHMS, { beforeServiceAccept: true, keyWithNone: true }],
    ["OpenSSH_9.2p1", ["ssh-ed25519"], { beforeServiceAccept: true, keyWithNone: false }],
    ["OpenSSH_7.4", null, { beforeServiceAccept: true, keyWithNone: false }],
    ["dropbear_2022.83", SSHD_ALGORITHMS, none],
    ["", null, none],
  ] as const;
  for (const [software, algorithms, expected] of cases)
    assert.deepEqual(requestsAhead(software, algorithms), expected, software);
});

test("only the offer of other host keys is ignored", () => {
  const answered: unknown[] = [];
  const handlers = {
    GLOBAL_REQUEST: (_protocol: unknown, ...args: unknown[]) => void answered.push(args[0]),
  };
  ignoreOtherHostKeys(handlers);
  for (const name of ["hostkeys-00@openssh.com", "keepalive@openssh.com"]) handlers.GLOBAL_REQUEST({}, name);
  assert.deepEqual(answered, ["keepalive@openssh.com"]);
});

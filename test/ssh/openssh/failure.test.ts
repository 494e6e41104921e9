import assert from "node:assert/strict";
import test from "node:test";
import { STATE_OF_CODE, type LastError } from "../../../src/contract/record.js";
import { ACCESS_DENIED_FIX, NAME_A_KEY } from "../../../src/ssh/auth/login-refusal.js";
import { opensshFailure } from "../../../src/ssh/openssh/failure.js";
import { OpensshLog } from "../../../src/ssh/openssh/log.js";

delete process.env["SSH_AUTH_SOCK"];

const host = {
  target: { user: "me", host: "gpu1", port: 2222, labels: {}, origin: "--ssh" },
  via: null,
  ssh: { keyFiles: [], configFile: "/c/ssh config", knownHostsFile: null },
};
/** Of fixes: the flags that every command gets. */
const FLAGS = "-F '/c/ssh config' -p 2222 me@gpu1";
const ONLY_KEYS = "the server takes nothing but keys: have an administrator (or do it on its console) add to";

const DIALLED = "debug1: Connecting to gpu1 [10.0.0.1] port 2222.\r\n";
const CONNECTED = `${DIALLED}debug1: Connection established.\r\n`;
const GREETED = `${CONNECTED}debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2\r\n`;
const KEYED = `${GREETED}debug1: Server host key: ssh-ed25519 SHA256:abc\r\n`;
const AUTH = `${KEYED}debug1: SSH2_MSG_SERVICE_ACCEPT received\r\n`;
const OPEN = `${AUTH}Authenticated to gpu1 ([10.0.0.1]:2222) using "publickey".\r\n`;
const PROXY = "debug1: Executing proxy command: exec ssh -W '[gpu1]:2222' bastion\r\n";
const OFFER = "debug1: Offering public key: /k/id ED25519 SHA256:xyz explicit\r\n";
const OFFER_AGENT = "debug1: Offering public key: me@pc ED25519 SHA256:uvw agent\r\n";
const CHANGED = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r
Add correct host key in /home/me/.ssh/known_hosts to get rid of this message.\r
Offending ED25519 key in /home/me/.ssh/known_hosts:7\r
  remove with:\r
  ssh-keygen -f "/home/me/.ssh/known_hosts" -R "[gpu1]:2222"\r
Host key for [gpu1]:2222 has changed and you have requested strict checking.\r
Host key verification failed.\r
`;

// Texts of OpenSSH 9.2, taken from real failures.
const cases: readonly (readonly [
  string,
  string,
  Partial<LastError> & { readonly message?: never },
  RegExp,
])[] = [
  [
    "a name that is none",
    "ssh: Could not resolve hostname gpu1: Name or service not known\r\n",
    { code: "dns-not-found", phase: "resolve" },
    /gpu1/,
  ],
  [
    "a closed port",
    `${DIALLED}ssh: connect to host gpu1 port 2222: Connection refused\r\n`,
    { code: "connection-refused", phase: "dial" },
    /refused/,
  ],
  [
    "no answer",
    `${DIALLED}ssh: connect to host gpu1 port 2222: Connection timed out\r\n`,
    { code: "connect-timeout", phase: "dial" },
    /timed out/,
  ],
  [
    "no route",
    `${DIALLED}ssh: connect to host gpu1 port 2222: No route to host\r\n`,
    { code: "network-unreachable", phase: "dial" },
    /No route/,
  ],
  [
    "a silent server",
    `${CONNECTED}Connection timed out during banner exchange\r\nConnection to 10.0.0.1 port 2222 timed out\r\n`,
    { code: "handshake-timeout", phase: "handshake" },
    /banner/,
  ],
  [
    "a web server",
    `${CONNECTED}debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request\r\nkex_exchange_identification: Connection closed by remote host\r\n`,
    { code: "not-ssh", phase: "handshake" },
    /HTTP\/1.1 400/,
  ],
  [
    "MaxStartups",
    `${CONNECTED}debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups\r\nkex_exchange_identification: Connection closed by remote host\r\n`,
    { code: "connection-lost", phase: "handshake" },
    /Exceeded MaxStartups/,
  ],
  [
    "closed at once",
    `${CONNECTED}kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 10.0.0.1 port 2222\r\n`,
    { code: "connection-lost", phase: "handshake" },
    /closed/,
  ],
  [
    "no common host key type",
    `${GREETED}Unable to negotiate with 10.0.0.1 port 2222: no matching host key type found. Their offer: ssh-rsa\r\n`,
    { code: "host-key-algorithm", phase: "handshake" },
    /Their offer: ssh-rsa/,
  ],
  [
    "no common kex",
    `${GREETED}Unable to negotiate with 10.0.0.1 port 2222: no matching key exchange method found. Their offer: x\r\n`,
    { code: "protocol-error", phase: "handshake" },
    /no matching key exchange/,
  ],
  [
    "a changed key",
    `${KEYED}${CHANGED}`,
    {
      code: "host-key-changed",
      phase: "handshake",
      where: "/home/me/.ssh/known_hosts:7",
      fix: 'ssh-keygen -f "/home/me/.ssh/known_hosts" -R "[gpu1]:2222"',
    },
    /^Offending .*SHA256:abc\)$/,
  ],
  [
    "a revoked key",
    `${KEYED}Host key ED25519 SHA256:abc revoked by file /etc/revoked\r\nHost key verification failed.\r\n`,
    { code: "host-key-revoked", phase: "handshake", where: "/etc/revoked" },
    /revoked by file/,
  ],
  [
    "a revocation file that is gone",
    `${KEYED}Error checking host key ED25519 SHA256:abc in revoked keys file /gone: No such file or directory\r\nHost key verification failed.\r\n`,
    { code: "host-key-revoked", phase: "handshake" },
    /Error checking/,
  ],
  [
    "an unknown key",
    `${KEYED}No ED25519 host key is known for [gpu1]:2222 and you have requested strict checking.\r\nHost key verification failed.\r\n`,
    {
      code: "host-key-unknown",
      phase: "handshake",
      fix: `ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new ${FLAGS} true`,
    },
    /SHA256:abc/,
  ],
  [
    "refused keys",
    `${AUTH}${OFFER}debug1: Authentications that can continue: publickey\r\n${OFFER_AGENT}me@gpu1: Permission denied (publickey).\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz refused", "agent SHA256:uvw refused"],
      fix: `${ONLY_KEYS} ~/.ssh/authorized_keys of me this line: the one in /k/id.pub`,
    },
    /^me@gpu1: Permission denied/,
  ],
  [
    "an accepted key that was not enough",
    `${AUTH}${OFFER}debug1: Server accepts key: /k/id ED25519 SHA256:xyz explicit\r\nAuthenticated using "publickey" with partial success.\r\nme@gpu1: Permission denied (publickey).\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz accepted"],
    },
    /denied/,
  ],
  [
    "an accepted key that is encrypted",
    `${AUTH}${OFFER}debug1: Server accepts key: /k/id ED25519 SHA256:xyz explicit\r\nme@gpu1: Permission denied (publickey,password).\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz accepted"],
      fix: 'eval "$(ssh-agent -s)" && ssh-add /k/id',
    },
    /denied/,
  ],
  [
    "an agent that declines",
    `${AUTH}${OFFER_AGENT}debug1: Server accepts key: me@pc ED25519 SHA256:uvw agent\r\nsign_and_send_pubkey: signing failed for ED25519 "me@pc" from agent: agent refused operation\r\nme@gpu1: Permission denied (publickey,password).\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["agent SHA256:uvw accepted"],
      fix: "let the agent sign when it asks (ssh-add -c, a touch, a lock), or name another key with --ssh-key",
    },
    /agent refused operation/,
  ],
  [
    "an account that PAM refuses after its key was taken",
    `${AUTH}${OFFER}debug1: Server accepts key: /k/id ED25519 SHA256:xyz explicit\r\nAccess denied by pam_slurm_adopt: you have no active jobs on this node\r\nConnection closed by 10.0.0.1 port 2222\r\n`,
    {
      code: "access-denied",
      phase: "auth",
      tried: ["/k/id SHA256:xyz accepted"],
      fix: ACCESS_DENIED_FIX,
    },
    /^the server took our key and refused the login: Access denied by pam_slurm_adopt: you have no active jobs/,
  ],
  [
    "an account that is refused without a message",
    `${AUTH}${OFFER}debug1: Server accepts key: /k/id ED25519 SHA256:xyz explicit\r\nConnection reset by 10.0.0.1 port 2222\r\n`,
    {
      code: "access-denied",
      phase: "auth",
      tried: ["/k/id SHA256:xyz accepted"],
      fix: ACCESS_DENIED_FIX,
    },
    /refused the login: Connection reset/,
  ],
  [
    "a server that hangs up on keys that it does not know",
    `${AUTH}${OFFER}debug1: Authentications that can continue: publickey\r\n${OFFER_AGENT}Connection closed by 10.0.0.1 port 2222\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz refused", "agent SHA256:uvw refused"],
      fix: NAME_A_KEY,
    },
    /hung up after it refused keys of ours/,
  ],
  [
    "a server that goes away during authentication",
    `${AUTH}${OFFER}Connection closed by 10.0.0.1 port 2222\r\n`,
    { code: "connection-lost", phase: "auth" },
    /closed/,
  ],
  [
    "too many keys",
    `${AUTH}${OFFER}Received disconnect from 10.0.0.1 port 2222:2: Too many authentication failures\r\nDisconnected from 10.0.0.1 port 2222\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz refused"],
      fix: NAME_A_KEY,
    },
    /Too many/,
  ],
  [
    "no key at all",
    `${AUTH}no such identity: /k/gone: No such file or directory\r\n@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\r\nPermissions 0644 for '/k/open' are too open.\r\nLoad key "/k/open": bad permissions\r\nme@gpu1: Permission denied (publickey).\r\n`,
    {
      code: "no-usable-key",
      phase: "auth",
      tried: [
        "/k/gone skipped: no such file",
        "/k/open skipped: mode 0644 is too open: chmod 600",
        "/k/open skipped: bad permissions",
      ],
      fix: "chmod 600 /k/open",
    },
    /^no key to offer: me@gpu1: Permission denied/,
  ],
  [
    "a frozen peer",
    `${OPEN}Timeout, server gpu1 not responding.\r\n`,
    { code: "keepalive-timeout", phase: "sample" },
    /not responding/,
  ],
  [
    "a server that went away",
    `${OPEN}Connection to gpu1 closed by remote host.\r\n`,
    { code: "connection-lost", phase: "sample" },
    /closed by remote host/,
  ],
  [
    "a killed connection",
    `${OPEN}client_loop: send disconnect: Broken pipe\r\n`,
    { code: "connection-lost", phase: "sample" },
    /Broken pipe/,
  ],
  [
    "a proxy command that fails",
    `${PROXY}no way\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n`,
    { code: "proxy-failed", phase: "dial" },
    /^the proxy command failed: no way$/,
  ],
  [
    "a jump host that refuses",
    `${PROXY}me@bastion: Permission denied (publickey).\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n`,
    { code: "proxy-failed", phase: "dial" },
    /Permission denied/,
  ],
  [
    "a target that is down behind its jump host",
    `${PROXY}channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n`,
    { code: "connection-refused", phase: "dial" },
    /connect failed: Connection refused/,
  ],
  [
    "a target that refuses our key behind its jump host",
    `${PROXY}debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2\r\ndebug1: SSH2_MSG_SERVICE_ACCEPT received\r\n${OFFER}me@gpu1: Permission denied (publickey).\r\n`,
    {
      code: "auth-failed",
      phase: "auth",
      tried: ["/k/id SHA256:xyz refused"],
      fix: `${ONLY_KEYS} ~/.ssh/authorized_keys of me this line: the one in /k/id.pub`,
    },
    /denied/,
  ],
  [
    "a bad option",
    "command-line line 0: Bad SSH2 cipher spec 'nope'.\r\n",
    { code: "protocol-error", phase: "resolve" },
    /cipher spec/,
  ],
  ["nothing at all", "", { code: "protocol-error", phase: "resolve" }, /without a message/],
];

for (const [name, text, expected, message] of cases) {
  test(name, () => {
    const log = new OpensshLog();
    // In pieces, as from a pipe.
    for (let at = 0; at < text.length; at += 7) log.push(text.slice(at, at + 7));
    log.flush();
    const { message: actual, ...failure } = opensshFailure(log, host).failure;
    assert.deepEqual(failure, expected);
    assert.match(actual, message);
    assert.ok(failure.code in STATE_OF_CODE);
  });
}

test("a remote command's stderr is passed on, and ssh's debug output is not", () => {
  const log = new OpensshLog();
  log.push(OPEN);
  assert.equal(log.stage, "open");
  const passedOn = log.push(
    "warn: one\ndebug1: client_input_channel_req: channel 0 rtype exit-status reply 0\r\nTransferred: sent 1, ",
  );
  assert.equal(passedOn, "warn: one\n");
  assert.equal(log.push("received 2\r\nhalf"), "");
  assert.equal(log.flush(), "half");
  assert.equal(log.remoteEnd, "status");
  const endless = "x".repeat(20_000);
  assert.equal(log.push(endless), endless);
});

test("each address that is tried counts, and what a proxy leads to does not", () => {
  const log = new OpensshLog();
  log.push(`${DIALLED}debug1: connect to address 10.0.0.1 port 2222: Connection timed out\r\n${DIALLED}`);
  log.push("debug1: Connecting to gpu1 [10.0.0.1] port 2222 via proxy command.\r\n");
  assert.equal(log.dials, 2);
});

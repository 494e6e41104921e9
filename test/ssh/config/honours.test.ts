/** Every keyword of ssh_config is honoured as in the table: each is set in a file of its own, and the plan checked. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { HostError } from "../../../src/contract/errors.js";
import { opensshMayHelp } from "../../../src/ssh/choose-client.js";
import { HONOURS } from "../../../src/ssh/config/honours.js";
import { KEYWORDS } from "../../../src/ssh/config/keywords.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { whatIsNeeded } from "../../../src/ssh/host-connector.js";
import { planTarget } from "../../../src/ssh/plan/plan-target.js";
import type { HostPlan } from "../../../src/ssh/plan/plan.js";
import { testOptions, testShared } from "../../support/host-plan.js";
import { fakeEnvironment } from "./fake-environment.js";
import { SSH } from "./oracle.js";

/** A value that differs from ssh's default, as lines; `yes` where none is given. */
const VALUES: Readonly<Record<string, string>> = {
  addressfamily: "AddressFamily inet6",
  bindaddress: "BindAddress 127.0.0.2",
  bindinterface: "BindInterface lo",
  canonicaldomains: "CanonicalizeHostname yes\nCanonicalDomains lab",
  canonicalizefallbacklocal: "CanonicalizeHostname yes\nCanonicalDomains no\nCanonicalizeFallbackLocal no",
  canonicalizehostname: "CanonicalizeHostname yes\nCanonicalDomains lab",
  canonicalizemaxdots: "CanonicalizeHostname yes\nCanonicalDomains lab\nCanonicalizeMaxDots 0\nPort 3",
  canonicalizepermittedcnames:
    "CanonicalizeHostname yes\nCanonicalDomains lab\nCanonicalizePermittedCNAMEs *:*",
  casignaturealgorithms: "CASignatureAlgorithms ssh-ed25519",
  certificatefile: "CertificateFile /c",
  channeltimeout: "ChannelTimeout session=1m",
  ciphers: "Ciphers aes256-ctr",
  connectionattempts: "ConnectionAttempts 3",
  connecttimeout: "ConnectTimeout 3",
  controlmaster: "ControlPath /s\nControlMaster yes",
  controlpath: "ControlPath /s",
  controlpersist: "ControlPersist 10m",
  dynamicforward: "DynamicForward 1080",
  escapechar: "EscapeChar none",
  fingerprinthash: "FingerprintHash md5",
  forwardx11timeout: "ForwardX11Timeout 1m",
  globalknownhostsfile: "GlobalKnownHostsFile /g",
  gssapiclientidentity: "GSSAPIClientIdentity me",
  gssapikexalgorithms: "GSSAPIKexAlgorithms gss-group14-sha256-",
  gssapiserveridentity: "GSSAPIServerIdentity it",
  host: "Host gpu\nPort 3",
  hostbasedacceptedalgorithms: "HostbasedAcceptedAlgorithms ssh-ed25519",
  hostkeyalgorithms: "HostKeyAlgorithms ssh-ed25519",
  hostkeyalias: "HostKeyAlias other",
  hostname: "HostName other",
  identityagent: "IdentityAgent /a",
  identityfile: "IdentityFile /k",
  ignoreunknown: "IgnoreUnknown Nonsense\nNonsense yes",
  include: "Include /included",
  ipqos: "IPQoS af21 cs1",
  kbdinteractiveauthentication: "KbdInteractiveAuthentication no",
  kbdinteractivedevices: "KbdInteractiveDevices pam",
  kexalgorithms: "KexAlgorithms curve25519-sha256",
  knownhostscommand: "KnownHostsCommand /bin/x",
  localcommand: "LocalCommand /bin/x",
  localforward: "LocalForward 1 h:2",
  loglevel: "LogLevel debug3",
  logverbose: "LogVerbose kex.c:*:*",
  macs: "MACs hmac-sha2-256",
  match: "Match host gpu\nPort 3",
  numberofpasswordprompts: "NumberOfPasswordPrompts 1",
  obscurekeystroketiming: "ObscureKeystrokeTiming no",
  passwordauthentication: "PasswordAuthentication no",
  permitremoteopen: "PermitRemoteOpen none",
  pkcs11provider: "PKCS11Provider /p.so",
  port: "Port 3",
  preferredauthentications: "PreferredAuthentications publickey,password",
  proxycommand: "ProxyCommand nc %h %p",
  proxyjump: "ProxyJump gate",
  proxyusefdpass: "ProxyCommand nc %h %p\nProxyUseFdpass yes",
  pubkeyacceptedalgorithms: "PubkeyAcceptedAlgorithms ssh-ed25519",
  pubkeyauthentication: "PubkeyAuthentication no",
  refuseconnection: "RefuseConnection no",
  rekeylimit: "RekeyLimit 1G 1h",
  remotecommand: "RemoteCommand top",
  remoteforward: "RemoteForward 1 h:2",
  requiredrsasize: "RequiredRSASize 3072",
  revokedhostkeys: "RevokedHostKeys /r",
  securitykeyprovider: "SecurityKeyProvider /sk.so",
  sendenv: "SendEnv LANG",
  serveralivecountmax: "ServerAliveCountMax 9",
  serveraliveinterval: "ServerAliveInterval 9",
  sessiontype: "SessionType none",
  setenv: "SetEnv A=1",
  streamlocalbindmask: "StreamLocalBindMask 0111",
  syslogfacility: "SyslogFacility AUTH",
  tag: "Tag x\nMatch tagged x\nPort 3",
  tcpkeepalive: "TCPKeepAlive no",
  tunneldevice: "TunnelDevice 1:2",
  user: "User other",
  userknownhostsfile: "UserKnownHostsFile /u",
  versionaddendum: "VersionAddendum x",
  xauthlocation: "XAuthLocation /x",
};

/** What the value is compared with, where that is not an empty file. */
const WITHOUT: Readonly<Record<string, string>> = {
  controlmaster: "ControlPath /s\n",
  ignoreunknown: "Nonsense yes\n",
};

const MACHINE = {
  files: { "/included": "Port 3\n" },
  names: { "gpu.lab.": "real.lab" },
  env: { LANG: "C" },
};

async function planOf(config: string): Promise<HostPlan> {
  const environment = fakeEnvironment({ ...MACHINE, files: { ...MACHINE.files, "/config": config } });
  const loaded = await loadConfig({ kind: "file", path: "/config" }, environment);
  return planTarget({ host: "gpu", labels: {}, origin: "--ssh" }, testOptions(), loaded, environment);
}

/** The plan as text, without the lines that decided it. */
async function shown(config: string): Promise<string> {
  const replacer = (key: string, value: unknown): unknown =>
    key.toLowerCase().endsWith("origin") || key === "origins" ? undefined : value;
  return planOf(config).then(
    (plan) => JSON.stringify(plan, replacer),
    (error: unknown) => (error instanceof Error ? error.message : "failed"),
  );
}

describe("how each keyword is honoured", () => {
  test("the table has every keyword that is read, and no other", () => {
    const known = new Set([...[...KEYWORDS.values()].map(({ key }) => key), "match"]);
    assert.deepEqual(Object.keys(HONOURS).sort(), [...known].sort());
  });

  test("ssh -G prints no keyword that the table lacks", (context) => {
    let text: string;
    try {
      text = execFileSync(SSH, ["-F", "none", "-G", "host"], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      context.skip("SKIPPED: no OpenSSH client here");
      return;
    }
    const printed = [...text.matchAll(/^(\S+)/gm)].map(([, key = ""]) => key.toLowerCase());
    assert.ok(printed.length > 50);
    assert.deepEqual(
      printed.filter((key) => KEYWORDS.get(key) === undefined),
      [],
    );
  });

  for (const [key, { by, why }] of Object.entries(HONOURS)) {
    test(`${key}: ${by}, ${why}`, async () => {
      const config = `${VALUES[key] ?? `${key} yes`}\n`;
      if (by === "harmless") assert.equal(await shown(config), await shown(""));
      else if (by === "us") assert.notEqual(await shown(config), await shown(WITHOUT[key] ?? ""));
      const shared = testShared();
      try {
        const plan = await planOf(config).catch(() => null);
        const needed = plan === null ? null : whatIsNeeded(plan, shared);
        if (by === "openssh") assert.match((needed ?? "").toLowerCase(), new RegExp(key));
        else assert.equal(needed, null);
      } finally {
        shared.close();
      }
    });
  }

  test("methods that only the system's ssh has are gone on with once the server names them", async () => {
    for (const [config, answer] of [
      ["GSSAPIAuthentication yes", "the server takes gssapi-with-mic"],
      ["HostbasedAuthentication yes", "the server takes hostbased"],
      ["SecurityKeyProvider /sk.so", "the server asks for a security key"],
    ] as const) {
      const error = new HostError("auth-failed", "auth", answer);
      assert.notEqual(
        opensshMayHelp((await planOf(config)).config, error, () => true),
        null,
        config,
      );
    }
  });
});

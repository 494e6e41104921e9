import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/ssh/config/config-error.js";
import type { HostConfig } from "../../../src/ssh/config/host-config.js";
import { loadConfig } from "../../../src/ssh/config/load.js";
import { resolveHost, type Overrides, type TypedTarget } from "../../../src/ssh/config/resolve.js";
import { fakeEnvironment, type FakeMachine } from "./fake-environment.js";

const USER_CONFIG = "/home/me/.ssh/config";

async function resolve(
  config: string,
  target: TypedTarget = { host: "foo" },
  machine: FakeMachine = {},
  overrides: Overrides = {},
): Promise<HostConfig> {
  const environment = fakeEnvironment({ ...machine, files: { [USER_CONFIG]: config, ...machine.files } });
  const loaded = await loadConfig({ kind: "default" }, environment);
  return resolveHost(target, overrides, loaded, environment);
}

async function refusal(config: string, machine: FakeMachine = {}): Promise<ConfigError> {
  try {
    await resolve(config, { host: "foo" }, machine);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  return assert.fail("it was accepted");
}

describe("the typed configuration", () => {
  test("defaults are ssh's", async () => {
    const host = await resolve("", { host: "Foo" }, { env: { SSH_AUTH_SOCK: "/run/agent" } });
    assert.deepEqual(
      { ...host, origins: null, identityFiles: host.identityFiles.length },
      {
        originalHost: "Foo",
        hostname: "foo",
        port: 22,
        user: "me",
        addressFamily: "any",
        bindAddress: null,
        bindInterface: null,
        connectTimeoutSecs: null,
        connectionAttempts: 1,
        serverAliveIntervalSecs: 0,
        serverAliveCountMax: 3,
        tcpKeepAlive: true,
        compression: false,
        proxy: { kind: "direct" },
        identityFiles: 7,
        identityFilesNamed: false,
        certificateFiles: [],
        identitiesOnly: false,
        identityAgent: "/run/agent",
        pubkeyAuthentication: true,
        gssapiAuthentication: false,
        hostbasedAuthentication: false,
        preferredAuthentications: null,
        pkcs11Provider: null,
        securityKeyProvider: "internal",
        pubkeyAcceptedAlgorithms: null,
        hostKeyAlgorithms: null,
        caSignatureAlgorithms: null,
        kexAlgorithms: null,
        ciphers: null,
        macs: null,
        requiredRsaSize: 1024,
        strictHostKeyChecking: "ask",
        userKnownHostsFiles: ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2"],
        globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
        hostKeyAlias: null,
        hashKnownHosts: false,
        checkHostIp: false,
        noHostAuthenticationForLocalhost: false,
        verifyHostKeyDns: "false",
        revokedHostKeys: [],
        knownHostsCommand: null,
        setEnv: [],
        sendEnv: [],
        origins: null,
      },
    );
    assert.ok(host.identityFiles.includes("/home/me/.ssh/id_ed25519"));
  });

  test("paths are expanded", async () => {
    const host = await resolve(
      "HostName %h.lan\nPort 7\nIdentityFile ~/k/%r@%h:%p\nIdentityFile none\nIdentityFile ${K}/%n-%L\n" +
        "CertificateFile ~other/%u.pub\nUserKnownHostsFile ~/kh-%k\nGlobalKnownHostsFile none\nRevokedHostKeys ~/r\n",
      { host: "foo", user: "bob" },
      { env: { K: "/keys" } },
    );
    assert.deepEqual(host.identityFiles, ["/home/me/k/bob@foo.lan:7", "/keys/foo-laptop"]);
    assert.deepEqual(host.certificateFiles, ["/home/other/me.pub"]);
    assert.deepEqual(host.userKnownHostsFiles, ["/home/me/kh-foo"]);
    assert.deepEqual(host.globalKnownHostsFiles, []);
    assert.deepEqual(host.revokedHostKeys, ["/home/me/r"]);
  });

  for (const [written, expected] of [
    ["none", null],
    ["SSH_AUTH_SOCK", "/run/agent"],
    ["$OTHER", "/other"],
    ["$UNSET", null],
    ["~/sock", "/home/me/sock"],
    ["${OTHER}/x", "/other/x"],
  ] as const) {
    test(`IdentityAgent ${written}`, async () => {
      const env = { SSH_AUTH_SOCK: "/run/agent", OTHER: "/other" };
      assert.equal((await resolve(`IdentityAgent ${written}\n`, undefined, { env })).identityAgent, expected);
    });
  }

  test("ProxyCommand gets its five tokens", async () => {
    const { proxy } = await resolve("HostName real\nHostKeyAlias al\nProxyCommand nc %h %k %n %p %r %%\n");
    assert.deepEqual(proxy, { kind: "command", command: "nc real al foo 22 me %" });
    assert.match((await refusal("ProxyCommand nc %d\n")).message, /unknown key %d/);
  });

  test("origins name the line that decided", async () => {
    const host = await resolve("Host foo\n  Port 7\nHost *\n  Port 8\n  User x\n  ProxyJump j\n", {
      host: "foo",
      user: "me",
    });
    assert.deepEqual(host.origins.get("port"), { kind: "file", file: USER_CONFIG, line: 2 });
    assert.deepEqual(host.origins.get("user"), { kind: "flag" });
    assert.deepEqual(host.origins.get("proxyjump"), { kind: "file", file: USER_CONFIG, line: 6 });
    assert.equal(host.origins.get("compression"), undefined);
  });

  test("options of -o win over the files", async () => {
    const options = ["StrictHostKeyChecking=no", "IdentityFile /flag"];
    const host = await resolve("StrictHostKeyChecking yes\nIdentityFile /file\n", undefined, {}, { options });
    assert.equal(host.strictHostKeyChecking, "no");
    assert.deepEqual(host.identityFiles, ["/flag", "/file"]);
    assert.deepEqual(host.origins.get("stricthostkeychecking"), { kind: "flag" });
    await assert.rejects(resolve("", undefined, {}, { options: ["Host foo"] }), ConfigError);
  });
});

describe("reading", () => {
  test("every file is read once, however many hosts there are", async () => {
    const environment = fakeEnvironment({
      files: {
        [USER_CONFIG]: "Include /a\nInclude /a\nHost *\nPort 9\n",
        "/a": "Host h7\nPort 7\n",
        "/etc/ssh/ssh_config": "",
      },
    });
    const loaded = await loadConfig({ kind: "default" }, environment);
    const ports = new Set<number>();
    for (let n = 0; n < 1000; n++)
      ports.add((await resolveHost({ host: `h${n}` }, {}, loaded, environment)).port);
    assert.deepEqual([...ports].sort(), [7, 9]);
    assert.deepEqual(environment.read, [USER_CONFIG, "/a", "/etc/ssh/ssh_config"]);
  });

  test("a file of ten thousand Host blocks answers each host from its own block", async () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `host-${n}`);
    const config =
      names.map((name, n) => `Host ${name}\n  Port ${n + 1}\n`).join("") + "Host host-5 *\nUser all\n";
    const environment = fakeEnvironment({ files: { "/c": config } });
    const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
    for (const [n, host] of names.entries()) {
      const { port, user } = await resolveHost({ host }, {}, loaded, environment);
      assert.deepEqual([port, user], [n + 1, "all"]);
    }
  });

  test("all mistakes of a file are reported, with the messages of ssh", async () => {
    const { problems } = await refusal("Port x\nUser\nFoo 1\nUser 'a\nPort 1 2\n");
    assert.deepEqual(problems, [
      `${USER_CONFIG} line 1: Bad port 'x'.`,
      `${USER_CONFIG} line 2: no argument after keyword "user"`,
      `${USER_CONFIG} line 3: Bad configuration option: foo`,
      `${USER_CONFIG} line 4: invalid quotes`,
      `${USER_CONFIG} line 5: keyword port extra arguments at end of line`,
    ]);
  });

  test("files that ssh would not trust or cannot read", async () => {
    const insecure = { files: { [USER_CONFIG]: { kind: "insecure" } } } as const;
    assert.match(
      (await refusal("", insecure)).message,
      /^Bad owner or permissions on \/home\/me\/.ssh\/config$/,
    );
    const unreadable = { files: { "/x": { kind: "unreadable", reason: "EACCES" } } } as const;
    assert.match(
      (await refusal("Include /x\n", unreadable)).message,
      /config line 1: Can't open user config file \/x: EACCES/,
    );
    const environment = fakeEnvironment();
    await assert.rejects(
      loadConfig({ kind: "file", path: "/no" }, environment),
      /Can't open user config file \/no/,
    );
    assert.deepEqual((await loadConfig({ kind: "none" }, environment)).files, []);
  });

  test("a RemoteCommand leaves no room for ours, but a jump host may have one", async () => {
    assert.match(
      (await refusal("RemoteCommand x\n")).message,
      /line 1: Cannot execute command-line and remote command/,
    );
    assert.equal((await resolve("RemoteCommand x\n", undefined, {}, { purpose: "forward" })).hostname, "foo");
  });
});

describe("Match", () => {
  test("exec runs once for a host and pass, with tokens, and only when all before it held", async () => {
    const environment = fakeEnvironment({
      files: {
        "/c": 'Match host foo exec "a %h"\nPort 1\nMatch host bar exec "b %h"\nMatch !exec "c %n" exec "d"\nUser x\n',
      },
      succeeding: ["a foo", "d"],
    });
    const loaded = await loadConfig({ kind: "file", path: "/c" }, environment);
    const host = await resolveHost({ host: "foo" }, {}, loaded, environment);
    assert.deepEqual(environment.executed, ["a foo", "c foo", "d"]);
    assert.deepEqual([host.port, host.user], [1, "x"]);
  });

  for (const [config, machine, port] of [
    ["Tag gpu\nMatch tagged gpu*\nPort 2\n", {}, 2],
    ["Match tagged gpu\nPort 2\n", {}, 22],
    ["Match localnetwork 10.0.0.0/8,!10.9.0.0/16\nPort 2\n", { addresses: ["10.1.2.3"] }, 2],
    ["Match localnetwork 10.0.0.0/8,!10.9.0.0/16\nPort 2\n", { addresses: ["10.9.2.3"] }, 22],
    ["Match !localnetwork fd00::/8\nPort 2\n", { addresses: ["fd00::1"] }, 22],
    ["Match sessiontype exec\nPort 2\n", {}, 2],
  ] as const) {
    test(config.split("\n", 2).join("; "), async () => {
      assert.equal((await resolve(config, undefined, machine)).port, port);
    });
  }

  test("what OpenSSH 9.2 does not know is a mistake in its dialect", async () => {
    for (const line of [
      "Tag x",
      "Match tagged x",
      "Match localnetwork 10.0.0.0/8",
      "ChannelTimeout session=1m",
    ]) {
      assert.ok((await refusal(`${line}\n`, { dialect: 902 })).problems.length > 0);
      assert.equal((await resolve(`${line}\n`)).port, 22);
    }
    assert.match((await refusal("Match localnetwork ten\n")).message, /Invalid network list ten/);
    assert.match(
      (await refusal('RefuseConnection "not this one"\n')).message,
      /RefuseConnection: not this one/,
    );
  });
});

describe("canonicalization", () => {
  const names = { "gpu.lab.example.": "real.b.example", "gpu.other.": "gpu.other" };
  const cases: readonly (readonly [string, string])[] = [
    ["CanonicalizeHostname yes\nCanonicalDomains no.example lab.example\n", "gpu.lab.example"],
    [
      "CanonicalizeHostname yes\nCanonicalDomains lab.example\nCanonicalizePermittedCNAMEs *.lab.example:*.b.example\n",
      "real.b.example",
    ],
    [
      "CanonicalizeHostname yes\nCanonicalDomains lab.example\nCanonicalizePermittedCNAMEs *.lab.example:*.c.example\n",
      "gpu.lab.example",
    ],
    ["CanonicalizeHostname yes\nCanonicalDomains lab.example\nProxyJump j\n", "gpu"],
    ["CanonicalizeHostname always\nCanonicalDomains lab.example\nProxyJump j\n", "gpu.lab.example"],
    ["CanonicalizeHostname yes\nCanonicalDomains none lab.example\n".replace(" lab.example", ""), "gpu"],
  ];
  for (const [config, expected] of cases) {
    test(`${config.replaceAll("\n", "; ")} -> ${expected}`, async () => {
      assert.equal((await resolve(config, { host: "gpu" }, { names })).hostname, expected);
    });
  }

  for (const [config, hostname] of [
    ["CanonicalizeHostname yes\nCanonicalDomains slow.example lab.example\n", "gpu"],
    ["CanonicalizePermittedCNAMEs *.lab.example:*.b.example\n", "gpu"],
  ] as const) {
    test(`a look-up without an answer is waited for once: ${config}`, async () => {
      const hanging = ["gpu.slow.example.", "gpu"];
      const environment = fakeEnvironment({ files: { [USER_CONFIG]: config }, hanging });
      const loaded = await loadConfig({ kind: "default" }, environment);
      assert.equal((await resolveHost({ host: "gpu" }, {}, loaded, environment)).hostname, hostname);
      assert.equal(environment.lookedUp.length, 1);
    });
  }

  test("the final pass sees the canonical name", async () => {
    const config = "CanonicalizeHostname yes\nCanonicalDomains lab.example\nHost gpu.lab.example\nPort 5\n";
    assert.equal((await resolve(config, { host: "gpu" }, { names })).port, 5);
  });
});

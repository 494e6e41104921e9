/** The collected options as a typed HostConfig, with ssh's defaults. */
import { sharedText } from "../../lib/shared-values.js";
import { familyOf } from "./canonicalize.js";
import { ConfigError } from "./config-error.js";
import type { ConfigEnvironment } from "./environment.js";
import type { ResolvedOptions } from "./finish.js";
import type { HostConfig, Proxy } from "./host-config.js";
import type { NamedFile, ConfigOptions } from "./options.js";
import { expand, expandTilde, type Expanded } from "./tokens.js";

const DEFAULT_IDENTITIES = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"].map(
  (type) => `~/.ssh/id_${type}`,
);
const DEFAULT_USER_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const DEFAULT_GLOBAL_KNOWN_HOSTS = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/** Newer than the oldest ssh that we start, so they are overridden only where they are set. */
const SESSION_SETTINGS = ["sessiontype", "stdinnull", "forkafterauthentication", "logverbose"];
const STRICT: ReadonlyMap<string | null, HostConfig["strictHostKeyChecking"]> = new Map([
  ["true", "yes"],
  ["false", "no"],
  ["ask", "ask"],
  ["accept-new", "accept-new"],
]);

/** Throws ConfigError for a failed expansion that ssh makes only when it connects. */
export function buildHostConfig(resolved: ResolvedOptions, environment: ConfigEnvironment): HostConfig {
  const { options, originalHost, host, port, user } = resolved;
  const paths = new PathReader(resolved, environment);
  const flag = (key: string, byDefault: boolean): boolean =>
    options.has(key) ? options.yes(key) : byDefault;
  const named = options.identityFiles.length > 0;
  return {
    originalHost,
    hostname: host,
    port,
    user,
    addressFamily: familyOf(options),
    bindAddress: options.text("bindaddress"),
    bindInterface: options.text("bindinterface"),
    connectTimeoutSecs: options.number("connecttimeout"),
    connectionAttempts: options.number("connectionattempts") ?? 1,
    serverAliveIntervalSecs: options.number("serveraliveinterval") ?? 0,
    serverAliveCountMax: options.number("serveralivecountmax") ?? 3,
    tcpKeepAlive: flag("tcpkeepalive", true),
    compression: flag("compression", false),
    proxy: readProxy(resolved),
    identityFiles: named
      ? paths.files("identityfile", options.identityFiles)
      : paths.defaults(DEFAULT_IDENTITIES),
    identityFilesNamed: named,
    certificateFiles: paths.files("certificatefile", options.certificateFiles),
    identitiesOnly: flag("identitiesonly", false),
    identityAgent: readAgent(options.text("identityagent"), environment.env),
    pubkeyAuthentication: (options.text("pubkeyauthentication") ?? "true") !== "false",
    gssapiAuthentication: flag("gssapiauthentication", false),
    hostbasedAuthentication: flag("hostbasedauthentication", false),
    preferredAuthentications: options.text("preferredauthentications"),
    pkcs11Provider: options.textUnlessNone("pkcs11provider"),
    securityKeyProvider: readKeyProvider(options, environment.env),
    pubkeyAcceptedAlgorithms: options.text("pubkeyacceptedalgorithms"),
    hostKeyAlgorithms: options.text("hostkeyalgorithms"),
    caSignatureAlgorithms: options.text("casignaturealgorithms"),
    kexAlgorithms: options.text("kexalgorithms"),
    ciphers: options.text("ciphers"),
    macs: options.text("macs"),
    requiredRsaSize: options.number("requiredrsasize") ?? 1024,
    strictHostKeyChecking: STRICT.get(options.text("stricthostkeychecking")) ?? "ask",
    userKnownHostsFiles: paths.listOr("userknownhostsfile", DEFAULT_USER_KNOWN_HOSTS),
    globalKnownHostsFiles: paths.listOr("globalknownhostsfile", DEFAULT_GLOBAL_KNOWN_HOSTS),
    hostKeyAlias: options.text("hostkeyalias"),
    hashKnownHosts: flag("hashknownhosts", false),
    checkHostIp: flag("checkhostip", false),
    noHostAuthenticationForLocalhost: flag("nohostauthenticationforlocalhost", false),
    verifyHostKeyDns: options.text("verifyhostkeydns") ?? "false",
    revokedHostKeys: paths.list(options.list("revokedhostkeys") ?? []),
    knownHostsCommand: options.textUnlessNone("knownhostscommand"),
    ...forSystemClient(options),
    setEnv: (options.list("setenv") ?? []).map(splitPair),
    sendEnv: [...options.sendEnv],
    origins: options.origins(),
  };
}

/** The settings for which the system's `ssh` is chosen, and those that are overridden for it. */
function forSystemClient(
  options: ConfigOptions,
): Pick<HostConfig, "controlPath" | "startsMaster" | "proxyUseFdpass" | "sessionSettings"> {
  const controlPath = options.textUnlessNone("controlpath");
  // With `yes` and `ask` ssh would be a master itself and uses no other.
  const mode = options.text("controlmaster") ?? "false";
  const usesMaster = /^(false|auto|autoask)$/.test(mode);
  const sessionSettings = SESSION_SETTINGS.filter((key) => options.has(key));
  return {
    ...(controlPath === null || !usesMaster ? {} : { controlPath }),
    ...(controlPath === null || mode === "false" ? {} : { startsMaster: true as const }),
    ...(options.proxy.kind === "command" && options.yes("proxyusefdpass")
      ? { proxyUseFdpass: true as const }
      : {}),
    ...(sessionSettings.length === 0 ? {} : { sessionSettings }),
  };
}

const DEFAULT_FILES = new WeakMap<ConfigEnvironment, Map<readonly string[], readonly string[]>>();

class PathReader {
  constructor(
    private readonly resolved: ResolvedOptions,
    private readonly environment: ConfigEnvironment,
  ) {}

  tilde(path: string): string {
    return sharedText(unwrap(expandTilde(path, (user) => this.environment.homeOf(user))));
  }

  /** Default files: the same for all hosts, and one array. */
  defaults(paths: readonly string[]): readonly string[] {
    const known = DEFAULT_FILES.get(this.environment) ?? new Map<readonly string[], readonly string[]>();
    DEFAULT_FILES.set(this.environment, known);
    const files = known.get(paths) ?? paths.map((path) => this.tilde(path));
    known.set(paths, files);
    return files;
  }

  listOr(key: string, byDefault: readonly string[]): readonly string[] {
    const written = this.resolved.options.list(key);
    return written === null ? this.defaults(byDefault) : this.list(written);
  }

  /** `none` as the first path means no file. */
  list(paths: readonly string[]): string[] {
    return paths[0]?.toLowerCase() === "none" ? [] : paths.map((path) => this.tilde(path));
  }

  /** Identities and certificates: tilde, tokens and environment; `none` entries are dropped. */
  files(key: string, files: readonly NamedFile[]): string[] {
    return files
      .filter(({ path }) => path.toLowerCase() !== "none")
      .map(({ path }) =>
        sharedText(
          unwrap(
            expand(this.tilde(path), { tokens: this.resolved.tokens(), env: this.environment.env }),
            key,
          ),
        ),
      );
  }
}

function unwrap(expanded: Expanded, key = ""): string {
  if (expanded.ok) return expanded.text;
  const message = key === "" ? expanded.message : `${key}: ${expanded.message}`;
  throw new ConfigError([{ file: null, line: null, message, ofHost: true }]);
}

function readProxy({ options, tokens }: ResolvedOptions): Proxy {
  const { proxy } = options;
  if (proxy.kind === "unset" || proxy.kind === "no-jump") return { kind: "direct" };
  const { h = "", k = "", n = "", p = "", r = "" } = tokens();
  if (proxy.kind === "jump") {
    // ssh writes the hops into a command and expands that: `%r@gateway` is our user there.
    const expandPart = (part: string): string =>
      unwrap(expand(part, { tokens: { h, k, n, p, r } }), "proxyjump");
    const hops = proxy.jump.hops.map((hop) => ({
      ...hop,
      host: expandPart(hop.host),
      ...(hop.user === undefined ? {} : { user: expandPart(hop.user) }),
    }));
    return { kind: "jump", hops };
  }
  if (proxy.command.toLowerCase() === "none") return { kind: "direct" };
  return {
    kind: "command",
    command: unwrap(expand(proxy.command, { tokens: { h, k, n, p, r } }), "proxycommand"),
  };
}

function readAgent(written: string | null, env: Readonly<Record<string, string | undefined>>): string | null {
  const socket = agentSocket(written, env) ?? "";
  // An empty path means no agent, wherever it comes from (authfd.c: ssh_get_authentication_socket).
  return socket === "" ? null : socket;
}

function agentSocket(
  written: string | null,
  env: Readonly<Record<string, string | undefined>>,
): string | null | undefined {
  if (written === "none") return null;
  if (written === null || written === "SSH_AUTH_SOCK") return env["SSH_AUTH_SOCK"];
  if (written.startsWith("$") && !written.startsWith("${")) return env[written.slice(1)];
  return written;
}

/** Null: none, or an unset variable; "internal" is ssh's own. */
function readKeyProvider(
  options: ConfigOptions,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  if (!options.has("securitykeyprovider")) return "internal";
  const written = options.textUnlessNone("securitykeyprovider");
  if (written === null || !/^\$./.test(written)) return written;
  return env[written.slice(1)] ?? null;
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf("=");
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

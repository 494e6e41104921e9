/** What ssh does between reading its files and connecting: checks, the final name, expansions (main() in ssh.c). */
import { lowerAscii } from "../../lib/text.js";
import { assembleAlgorithms, KNOWN_ALGORITHMS, type AlgorithmFamily } from "./algorithms.js";
import { ConfigError } from "./config-error.js";
import { SINCE } from "./dialect.js";
import type { ConfigEnvironment } from "./environment.js";
import type { ForwardEnd } from "./forwards.js";
import { connectionTokens, type Purpose } from "./match.js";
import type { ConfigOptions } from "./options.js";
import { expand, expandTilde, type Expanded, type Tokens } from "./tokens.js";

export interface FinishedNames {
  readonly originalHost: string;
  /** The name or address to connect to. */
  readonly host: string;
  readonly user: string;
  readonly port: number;
  /** Made when they are first needed: few configurations have any. */
  readonly tokens: () => Tokens;
}

/** The collected options of a host, and its final names: everything that `ssh -G` prints. */
export interface ResolvedOptions extends FinishedNames {
  readonly options: ConfigOptions;
}

const ALGORITHM_KEYS: readonly (readonly [string, AlgorithmFamily])[] = [
  ["ciphers", "cipher"],
  ["macs", "mac"],
  ["kexalgorithms", "kex"],
  ["hostbasedacceptedalgorithms", "key"],
  ["pubkeyacceptedalgorithms", "key"],
  ["casignaturealgorithms", "ca"],
  ["hostkeyalgorithms", "key"],
];

/** Replaces values in `options` by their expansions. Throws ConfigError where ssh would exit. */
export function finish(
  options: ConfigOptions,
  { originalHost, host, purpose }: { originalHost: string; host: string; purpose: Purpose },
  environment: ConfigEnvironment,
): FinishedNames {
  checkAlgorithms(options);
  const port = options.number("port") ?? 22;
  const alias = options.text("hostkeyalias");
  if (alias !== null) options.replace("hostkeyalias", lowerAscii(alias));
  if (options.number("connectionattempts") === 0)
    refuse("Invalid number of ConnectionAttempts", options, "connectionattempts");

  if (purpose === "command" && options.textUnlessNone("remotecommand") !== null) {
    refuse("Cannot execute command-line and remote command.", options, "remotecommand");
  }

  const facts = { originalHost, host, port, keyAlias: options.text("hostkeyalias") ?? originalHost };
  const jumpHost = options.jumpHost;
  const user = finishUser(options, environment, { ...facts, jumpHost });
  checkProxy(options, { host, port, user });

  let made: Tokens | null = null;
  const tokens = (): Tokens => (made ??= connectionTokens(environment, { ...facts, user, jumpHost }));
  expandValues(options, new Expander(options, environment, tokens));
  return { originalHost, host, user, port, tokens };
}

function refuse(message: string, options: ConfigOptions, key: string): never {
  const origin = options.origins().get(key);
  const place =
    origin?.kind === "file" ? { file: origin.file, line: origin.line } : { file: null, line: null };
  throw new ConfigError([{ ...place, message, ofHost: true }]);
}

function checkAlgorithms(options: ConfigOptions): void {
  for (const [key, family] of ALGORITHM_KEYS) {
    const list = options.text(key);
    if (list === null) continue;
    const all = KNOWN_ALGORITHMS[family];
    if (assembleAlgorithms(list, all, all) === null)
      refuse(`${key}: no algorithm is left of '${list}'`, options, key);
  }
}

function finishUser(
  options: ConfigOptions,
  environment: ConfigEnvironment,
  facts: { originalHost: string; host: string; port: number; keyAlias: string; jumpHost: string },
): string {
  const written = options.text("user") ?? environment.localUser;
  // Only a value from a file is expanded: a name that was typed, or is our own, is used as it is.
  const isFromFile = options.origins().get("user")?.kind === "file";
  if (!isFromFile || !/[%$]/.test(written) || environment.dialect < SINCE.tokensInUser) return written;
  // %r and %C contain the user themselves.
  const tokens: Tokens = {
    ...connectionTokens(environment, { ...facts, user: "" }),
    C: undefined,
    r: undefined,
  };
  const expanded = expand(written, { tokens, env: environment.env });
  if (!expanded.ok) refuse(expanded.message, options, "user");
  const isLiteral = expanded.text === written;
  if (!isLiteral && !isValidUser(expanded.text))
    refuse("remote username contains invalid characters", options, "user");
  return expanded.text;
}

/** User names that could do harm in a command line are refused (valid_ruser in ssh.c). */
export function isValidUser(user: string): boolean {
  return !/^-|['`";&<>|(){}]|[ \t\n\v\f\r]-|\\$/.test(user);
}

/** The same for host names (valid_hostname in ssh.c). */
export function isValidHost(host: string): boolean {
  return !/^-|['`"$\\;&<>|(){}, \t\n\v\f\r\u0000-\u001f\u007f]/.test(host);
}

function checkProxy(
  options: ConfigOptions,
  { host, port, user }: { host: string; port: number; user: string },
): void {
  if (options.proxy.kind === "jump") {
    const { last } = options.proxy.jump;
    if (last.host === host && (last.port ?? 22) === port && (last.user ?? user) === user) {
      refuse(`jumphost loop via ${host}`, options, "proxyjump");
    }
    if (options.has("proxyusefdpass")) options.replace("proxyusefdpass", "no");
  }
  if (options.proxy.kind === "command" && options.proxy.command === "-" && options.yes("proxyusefdpass")) {
    refuse("ProxyCommand=- and ProxyUseFDPass are incompatible", options, "proxycommand");
  }
}

class Expander {
  constructor(
    private readonly options: ConfigOptions,
    private readonly environment: ConfigEnvironment,
    private readonly tokens: () => Tokens,
  ) {}

  /** Whether the dialect has an addition. Call it only where the addition would change a value. */
  knows(addition: keyof typeof SINCE): boolean {
    return this.environment.dialect >= SINCE[addition];
  }

  /** Tilde, tokens and environment. */
  path(key: string, path: string): string {
    const home = (user: string | null): string | null => this.environment.homeOf(user);
    return this.everything(key, this.checked(key, expandTilde(path, home)));
  }

  everything(key: string, text: string): string {
    return this.checked(key, expand(text, { tokens: this.tokens(), env: this.environment.env }));
  }

  percent(key: string, text: string): string {
    return this.checked(key, expand(text, { tokens: this.tokens() }));
  }

  private checked(key: string, expanded: Expanded): string {
    if (!expanded.ok) refuse(`${key}: ${expanded.message}`, this.options, key);
    return expanded.text;
  }
}

function expandValues(options: ConfigOptions, expander: Expander): void {
  for (const key of ["controlpath", "identityagent", "forwardagentpath"]) {
    const path =
      key === "identityagent" || key === "forwardagentpath" ? options.text(key) : options.textUnlessNone(key);
    if (path !== null) options.replace(key, expander.path(key, path));
  }
  const knownHosts = options.list("userknownhostsfile");
  if (knownHosts !== null && knownHosts[0]?.toLowerCase() !== "none") {
    options.replace(
      "userknownhostsfile",
      knownHosts.map((path) => expander.path("userknownhostsfile", path)),
    );
  }
  const revoked = options.list("revokedhostkeys");
  if (revoked?.some((path) => /[~%$]/.test(path)) === true && expander.knows("tokensInRevokedHostKeys")) {
    options.replace(
      "revokedhostkeys",
      revoked.map((path) => expander.path("revokedhostkeys", path)),
    );
  }
  const environment = options.list("setenv");
  const isPlain = environment?.every((pair) => !/[%$]/.test(pair)) ?? true;
  if (environment !== null && !isPlain && expander.knows("tokensInSetEnv")) {
    const expandValue = (pair: string): string => {
      const value = pair.indexOf("=") + 1;
      return pair.slice(0, value) + expander.everything("setenv", pair.slice(value));
    };
    options.replace("setenv", environment.map(expandValue));
  }
  const expandEnd = <End extends ForwardEnd | null>(key: string, end: End): End | ForwardEnd =>
    end?.kind === "path" ? { kind: "path", path: expander.percent(key, end.path) } : end;
  options.localForwards = options.localForwards.map(({ listen, connect }) => ({
    listen: expandEnd("localforward", listen),
    connect: expandEnd("localforward", connect),
  }));
  options.remoteForwards = options.remoteForwards.map(({ listen, connect }) => ({
    listen: expandEnd("remoteforward", listen),
    connect: expandEnd("remoteforward", connect),
  }));
}

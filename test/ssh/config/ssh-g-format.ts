/** Resolved options in the format of `ssh -G` (dump_client_config in readconf.c), to be compared line by line. */
import { assembleAlgorithms } from "../../../src/ssh/config/algorithms.js";
import type { ResolvedOptions } from "../../../src/ssh/config/finish.js";
import type { Forward, ForwardEnd } from "../../../src/ssh/config/forwards.js";
import { formatHop } from "../../../src/ssh/config/jump.js";

/** What the installed ssh can do and does by default, by the key that `ssh -G` prints. */
export interface AlgorithmCatalog {
  readonly defaults: ReadonlyMap<string, readonly string[]>;
  readonly all: ReadonlyMap<string, readonly string[]>;
}

/** Keys that always have one value, with OpenSSH 9.2's default (Debian's for HashKnownHosts and the like: without files). */
const SCALARS: Readonly<Record<string, string>> = {
  addressfamily: "any",
  batchmode: "no",
  canonicalizefallbacklocal: "yes",
  canonicalizehostname: "false",
  checkhostip: "no",
  compression: "no",
  controlmaster: "false",
  enablesshkeysign: "no",
  clearallforwardings: "no",
  exitonforwardfailure: "no",
  fingerprinthash: "SHA256",
  forwardx11: "no",
  forwardx11trusted: "yes",
  gatewayports: "no",
  gssapiauthentication: "no",
  gssapikeyexchange: "no",
  gssapidelegatecredentials: "no",
  gssapitrustdns: "no",
  gssapirenewalforcesrekey: "no",
  hashknownhosts: "no",
  hostbasedauthentication: "no",
  identitiesonly: "no",
  kbdinteractiveauthentication: "yes",
  nohostauthenticationforlocalhost: "no",
  passwordauthentication: "yes",
  permitlocalcommand: "no",
  proxyusefdpass: "no",
  pubkeyauthentication: "true",
  requesttty: "auto",
  sessiontype: "default",
  stdinnull: "no",
  forkafterauthentication: "no",
  streamlocalbindunlink: "no",
  stricthostkeychecking: "ask",
  tcpkeepalive: "yes",
  tunnel: "false",
  verifyhostkeydns: "false",
  visualhostkey: "no",
  enableescapecommandline: "no",
  canonicalizemaxdots: "1",
  connectionattempts: "1",
  forwardx11timeout: "1200",
  numberofpasswordprompts: "3",
  serveralivecountmax: "3",
  requiredrsasize: "1024",
  loglevel: "INFO",
  xauthlocation: "/usr/bin/xauth",
  addkeystoagent: "false",
  connecttimeout: "none",
  tunneldevice: "any:any",
  controlpersist: "no",
  escapechar: "~",
  ipqos: "lowdelay throughput",
  streamlocalbindmask: "0177",
  syslogfacility: "USER",
};

const OPTIONAL = [
  "obscurekeystroketiming",
  "versionaddendum",
  "warnweakcrypto",
  "gssapiclientidentity",
  "gssapiserveridentity",
  "bindaddress",
  "bindinterface",
  "hostkeyalias",
  "identityagent",
  "ignoreunknown",
  "kbdinteractivedevices",
  "preferredauthentications",
  "tag",
];

/** Cleared by `none`. */
const OPTIONAL_UNLESS_NONE = ["controlpath", "localcommand", "pkcs11provider", "knownhostscommand"];

const ALGORITHMS = [
  "ciphers",
  "hostkeyalgorithms",
  "hostbasedacceptedalgorithms",
  "kexalgorithms",
  "casignaturealgorithms",
  "macs",
  "pubkeyacceptedalgorithms",
];

const DEFAULT_IDENTITIES = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"];

/** By key, the lines as `ssh -G` prints them, in order. */
export function formatOptions(resolved: ResolvedOptions, catalog: AlgorithmCatalog): Map<string, string[]> {
  const { options } = resolved;
  const out = new Map<string, string[]>();
  const put = (key: string, ...values: readonly string[]): void => {
    if (values.length > 0)
      out.set(key, [...(out.get(key) ?? []), ...values.map((value) => `${key} ${value}`)]);
  };
  const value = (key: string): string | null => options.text(key) ?? options.number(key)?.toString() ?? null;
  const list = (key: string, byDefault: string): void =>
    put(key, noneAlone(options.list(key) ?? [byDefault]));

  put("host", resolved.originalHost);
  put("user", resolved.user);
  put("hostname", resolved.host);
  put("port", String(resolved.port));
  for (const [key, byDefault] of Object.entries(SCALARS)) put(key, value(key) ?? byDefault);
  for (const key of OPTIONAL) put(key, ...present(value(key)));
  for (const key of OPTIONAL_UNLESS_NONE) put(key, ...present(options.textUnlessNone(key)));
  if (!options.has("securitykeyprovider")) put("securitykeyprovider", "internal");
  else put("securitykeyprovider", ...present(options.textUnlessNone("securitykeyprovider")));
  put("serveraliveinterval", value("serveraliveinterval") ?? (options.yes("batchmode") ? "300" : "0"));
  for (const key of ALGORITHMS) {
    const defaults = catalog.defaults.get(key) ?? [];
    const names = assembleAlgorithms(options.text(key), defaults, catalog.all.get(key) ?? []);
    if (names === null) throw new Error(`no algorithms for ${key}`);
    put(key, names.join(","));
  }
  put(
    "gssapikexalgorithms",
    options.text("gssapikexalgorithms") ?? catalog.defaults.get("gssapikexalgorithms")?.join(",") ?? "",
  );
  put("updatehostkeys", updateHostKeys(resolved));
  putForwards(resolved, put);

  const named = options.identityFiles.map(({ path }) => path);
  put("identityfile", ...(named.length > 0 ? named : DEFAULT_IDENTITIES.map((type) => `~/.ssh/id_${type}`)));
  put("certificatefile", ...options.certificateFiles.map(({ path }) => path));
  list("canonicaldomains", "none");
  list("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2");
  if (options.has("userknownhostsfile")) list("userknownhostsfile", "");
  else put("userknownhostsfile", `${homeSsh(resolved)}/known_hosts ${homeSsh(resolved)}/known_hosts2`);
  put("sendenv", ...options.sendEnv);
  put("setenv", ...(options.list("setenv") ?? []));
  for (const key of ["revokedhostkeys", "channeltimeout"]) {
    const words = noneAlone(options.list(key) ?? []);
    if (words !== "" && (words !== "none" || key === "channeltimeout")) put(key, words);
  }
  list("logverbose", "none");
  list("permitremoteopen", "any");
  put("forwardagent", options.text("forwardagentpath") ?? value("forwardagent") ?? "no");
  const cnames = options.list("canonicalizepermittedcnames") ?? [];
  put(
    "canonicalizePermittedcnames",
    cnames.length === 0 || cnames[0]?.toLowerCase() === "none:" ? "none" : cnames.join(" "),
  );
  put("rekeylimit", `${value("rekeylimit") ?? "0"} ${value("rekeyinterval") ?? "0"}`);
  putProxy(resolved, put);
  return out;
}

function noneAlone(words: readonly string[]): string {
  return words.length === 1 && words[0]?.toLowerCase() === "none" ? "none" : words.join(" ");
}

function present(value: string | null): string[] {
  return value === null ? [] : [value];
}

function homeSsh({ tokens }: ResolvedOptions): string {
  return `${tokens()["d"] ?? ""}/.ssh`;
}

function updateHostKeys({ options }: ResolvedOptions): string {
  const files = options.list("userknownhostsfile");
  const usual = files === null || (files.length === 1 && files[0]?.endsWith("/.ssh/known_hosts") === true);
  const dns = options.text("verifyhostkeydns") ?? "false";
  const chosen = options.text("updatehostkeys") ?? (dns === "false" && usual ? "true" : "false");
  // Ssh does not ask when it runs a command, as we always do.
  return chosen === "ask" ? "false" : chosen;
}

type Put = (key: string, ...values: readonly string[]) => void;

function putForwards({ options }: ResolvedOptions, put: Put): void {
  if (options.yes("clearallforwardings")) return;
  for (const forward of options.localForwards) {
    if (forward.connect === null) put("dynamicforward", formatEnd(forward.listen));
    else if (forward.connect.kind === "path") {
      // Ssh takes a forward to a socket for a dynamic one too when it prints.
      put("dynamicforward", formatEnd(forward.listen));
      put("localforward", formatForward(forward));
    } else put("localforward", formatForward(forward));
  }
  for (const forward of options.remoteForwards) put("remoteforward", formatForward(forward));
}

function formatForward({ listen, connect }: Forward): string {
  return `${formatEnd(listen)} ${connect === null ? "[socks]:0" : formatEnd(connect)}`;
}

function formatEnd(end: ForwardEnd): string {
  if (end.kind === "path") return end.path;
  return end.host === null ? String(end.port) : `[${end.host}]:${end.port}`;
}

function putProxy({ options }: ResolvedOptions, put: Put): void {
  const { proxy } = options;
  if (proxy.kind === "jump") {
    const { last, extra } = proxy.jump;
    put("proxyjump", `${extra === null ? "" : `${extra},`}${formatHop(last)}`);
  } else if (proxy.kind === "command" && proxy.command.toLowerCase() !== "none") {
    put("proxycommand", proxy.command);
  }
}

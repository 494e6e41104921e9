/** How each keyword of ssh_config is honoured: one table, which a test checks. By the names in keywords.ts, and match. */

/**
 * `us`: read here, for ssh2 and for the choice of client. `openssh`: the system's ssh is chosen before connecting.
 * `openssh-after`: it is chosen, or uses the keyword, once the server's answer shows the need. `harmless`: cannot change
 * whether and where a command of ours runs.
 */
export interface Honour {
  readonly by: "us" | "openssh" | "openssh-after" | "harmless";
  readonly why: string;
}

const us = (why: string): Honour => ({ by: "us", why });
const openssh = (why: string): Honour => ({ by: "openssh", why });
const after = (why: string): Honour => ({ by: "openssh-after", why });
const harmless = (why: string): Honour => ({ by: "harmless", why });

const forwards = harmless("nothing is forwarded");
const terminal = harmless("there is no terminal");
const diagnostics = harmless("what ssh prints or logs");
const interactive = harmless("nobody is asked: BatchMode, which also leaves keyboard-interactive out");
const obsolete = harmless("ssh itself ignores it");
const language = us("the reading of the files");
const names = us("the name to connect to");
const dial = us("how the host is dialled");
const keys = us("which keys are offered");
const hostKeys = us("how the host key is checked");
const algorithms = us("what is offered; the system's ssh where ssh2 has none of it");
const kerberos = after("where the server takes it and there is a ticket");
const hostbased = after("where the server takes it");

export const HONOURS: Readonly<Record<string, Honour>> = {
  addkeystoagent: harmless("no key that is read is left in the agent"),
  addressfamily: dial,
  batchmode: interactive,
  bindaddress: dial,
  bindinterface: dial,
  canonicaldomains: names,
  canonicalizefallbacklocal: names,
  canonicalizehostname: names,
  canonicalizemaxdots: names,
  canonicalizepermittedcnames: names,
  casignaturealgorithms: after("host certificates depend on it anyway"),
  certificatefile: keys,
  channeltimeout: harmless("a channel that ends is opened again"),
  checkhostip: hostKeys,
  ciphers: algorithms,
  clearallforwardings: forwards,
  compression: us("whether compression is offered"),
  connectionattempts: dial,
  connecttimeout: dial,
  controlmaster: us("yes and ask use no master; none is ever started"),
  controlpath: us("the system's ssh uses a live master there"),
  controlpersist: harmless("no master is ever started"),
  dynamicforward: forwards,
  enableescapecommandline: terminal,
  enablesshkeysign: hostbased,
  escapechar: terminal,
  exitonforwardfailure: forwards,
  fingerprinthash: diagnostics,
  forkafterauthentication: us("overridden for the system's ssh"),
  forwardagent: forwards,
  forwardx11: forwards,
  forwardx11timeout: forwards,
  forwardx11trusted: forwards,
  gatewayports: forwards,
  globalknownhostsfile: hostKeys,
  gssapiauthentication: kerberos,
  gssapiclientidentity: kerberos,
  gssapidelegatecredentials: kerberos,
  gssapikexalgorithms: kerberos,
  gssapikeyexchange: kerberos,
  gssapirenewalforcesrekey: kerberos,
  gssapiserveridentity: kerberos,
  gssapitrustdns: kerberos,
  hashknownhosts: us("how accept-new writes"),
  host: language,
  hostbasedacceptedalgorithms: hostbased,
  hostbasedauthentication: hostbased,
  hostkeyalgorithms: algorithms,
  hostkeyalias: hostKeys,
  hostname: names,
  identitiesonly: keys,
  identityagent: keys,
  identityfile: keys,
  ignoreunknown: language,
  include: language,
  ipqos: harmless("packets are marked as the system marks them"),
  kbdinteractiveauthentication: interactive,
  kbdinteractivedevices: interactive,
  kexalgorithms: algorithms,
  knownhostscommand: openssh("its keys are for ssh to read"),
  localcommand: harmless("nothing runs here beside ssh"),
  localforward: forwards,
  loglevel: diagnostics,
  logverbose: us("overridden for the system's ssh"),
  macs: algorithms,
  match: language,
  nohostauthenticationforlocalhost: hostKeys,
  numberofpasswordprompts: interactive,
  obscurekeystroketiming: terminal,
  passwordauthentication: interactive,
  permitlocalcommand: harmless("nothing runs here beside ssh"),
  permitremoteopen: forwards,
  pkcs11provider: openssh("tokens are for ssh to open"),
  port: names,
  preferredauthentications: us("the system's ssh where publickey is not among them"),
  proxycommand: dial,
  proxyjump: dial,
  proxyusefdpass: openssh("Node.js takes no socket from another process"),
  pubkeyacceptedalgorithms: keys,
  pubkeyauthentication: keys,
  refuseconnection: us("the host is refused, as by ssh"),
  rekeylimit: harmless("the server has keys renewed by its own limit"),
  remotecommand: us("the host is refused: ssh runs no second command"),
  remoteforward: forwards,
  requesttty: terminal,
  requiredrsasize: keys,
  revokedhostkeys: hostKeys,
  securitykeyprovider: after("where the server asks for a security key"),
  sendenv: us("sent with the session"),
  serveralivecountmax: us("when a silent host is given up"),
  serveraliveinterval: us("when a silent host is given up"),
  sessiontype: us("overridden for the system's ssh; Match sessiontype sees it"),
  setenv: us("sent with the session"),
  stdinnull: us("overridden for the system's ssh"),
  streamlocalbindmask: forwards,
  streamlocalbindunlink: forwards,
  stricthostkeychecking: hostKeys,
  syslogfacility: diagnostics,
  tag: language,
  tcpkeepalive: dial,
  tunnel: forwards,
  tunneldevice: forwards,
  updatehostkeys: harmless("only accept-new adds lines to known_hosts"),
  user: us("who logs in"),
  userknownhostsfile: hostKeys,
  verifyhostkeydns: openssh("only ssh asks the DNS for fingerprints"),
  versionaddendum: harmless("a comment in our greeting"),
  visualhostkey: diagnostics,
  warnweakcrypto: diagnostics,
  xauthlocation: forwards,
  afstokenpassing: obsolete,
  kerberosauthentication: obsolete,
  rsaauthentication: obsolete,
};

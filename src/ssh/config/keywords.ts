/** Every keyword of ssh_config that OpenSSH knows, and how its value is read (the table in readconf.c). */
import { SINCE, type DialectVersion } from "./dialect.js";
import { NOTHING, type Reader } from "./line-reader.js";
import * as special from "./special-readers.js";
import {
  algorithms,
  choice,
  readCommand,
  readInteger,
  readSeconds,
  readRequired,
  TRUE_FALSE,
  YES_NO,
  type Choices,
} from "./readers.js";

/** `key`: the name under which the value is kept and that `ssh -G` prints. */
export interface Keyword {
  readonly key: string;
  readonly read: Reader;
  readonly since: DialectVersion;
}

const yesNo = choice(YES_NO);
const ASK: Choices = { ...TRUE_FALSE, ask: "ask" };
const keyTypes = algorithms("key", "key types");

const ignored: Reader = (line) => {
  line.all();
  return NOTHING;
};

/** Names with a reader each; a second name after a blank is another spelling of the first. */
const READERS: readonly (readonly [string, Reader, DialectVersion?])[] = [
  ["addkeystoagent", special.readAddKeys],
  ["addressfamily", choice({ inet: "inet", inet6: "inet6", any: "any" })],
  ["batchmode", yesNo],
  ["bindaddress", readRequired],
  ["bindinterface", readRequired],
  ["canonicaldomains", special.readCanonicalDomains],
  ["canonicalizefallbacklocal", yesNo],
  ["canonicalizehostname", choice({ ...TRUE_FALSE, always: "always" })],
  ["canonicalizemaxdots", readInteger],
  ["canonicalizepermittedcnames", special.readPermittedCnames],
  ["casignaturealgorithms", algorithms("ca", "key types")],
  ["certificatefile", special.readAppended],
  ["channeltimeout", special.readChannelTimeout, SINCE.channelTimeout],
  ["checkhostip", yesNo],
  ["ciphers", algorithms("cipher", "SSH2 cipher spec")],
  ["clearallforwardings", yesNo],
  ["compression", choice({ yes: "yes", no: "no" })],
  ["connectionattempts", readInteger],
  ["connecttimeout", readSeconds],
  ["controlmaster", choice({ ...ASK, auto: "auto", autoask: "autoask" })],
  ["controlpath", readRequired],
  ["controlpersist", special.readControlPersist],
  ["dynamicforward", special.forward("dynamic")],
  ["enableescapecommandline", yesNo],
  ["enablesshkeysign", yesNo],
  ["escapechar", special.readEscapeChar],
  ["exitonforwardfailure", yesNo],
  ["fingerprinthash", special.readFingerprintHash],
  ["forkafterauthentication", yesNo],
  ["forwardagent", special.readForwardAgent],
  ["forwardx11", yesNo],
  ["forwardx11timeout", readSeconds],
  ["forwardx11trusted", yesNo],
  ["gatewayports", yesNo],
  ["globalknownhostsfile", special.readFiles],
  ["gssapiauthentication", yesNo],
  ["gssapiclientidentity", readRequired],
  ["gssapidelegatecredentials", yesNo],
  ["gssapikexalgorithms", algorithms("gss-kex", "GSSAPI KexAlgorithms")],
  ["gssapikeyexchange", yesNo],
  ["gssapirenewalforcesrekey", yesNo],
  ["gssapiserveridentity", readRequired],
  ["gssapitrustdns", yesNo],
  ["hashknownhosts", yesNo],
  ["host", special.readHost],
  ["hostbasedacceptedalgorithms hostbasedkeytypes", keyTypes],
  ["hostbasedauthentication", yesNo],
  ["hostkeyalgorithms", keyTypes],
  ["hostkeyalias", readRequired],
  ["hostname", readRequired],
  ["identitiesonly", yesNo],
  ["identityagent", special.readIdentityAgent],
  ["identityfile identityfile2", special.readAppended],
  ["ignoreunknown", readRequired],
  ["include", special.readInclude],
  ["ipqos", special.readQos],
  [
    "kbdinteractiveauthentication challengeresponseauthentication skeyauthentication tisauthentication",
    yesNo,
  ],
  ["kbdinteractivedevices", readRequired],
  ["kexalgorithms", algorithms("kex", "SSH2 KexAlgorithms")],
  ["knownhostscommand", readCommand],
  ["localcommand", readCommand],
  ["localforward", special.forward("local")],
  ["loglevel", special.readLogLevel],
  ["logverbose", special.readLogVerbose],
  ["macs", algorithms("mac", "SSH2 MAC spec")],
  ["nohostauthenticationforlocalhost", yesNo],
  ["numberofpasswordprompts", readInteger],
  ["obscurekeystroketiming", special.readKeystrokeTiming, SINCE.obscureKeystrokeTiming],
  ["passwordauthentication", yesNo],
  ["permitlocalcommand", yesNo],
  ["permitremoteopen", special.readPermitRemoteOpen],
  ["pkcs11provider smartcarddevice", readRequired],
  ["port", special.readPort],
  ["preferredauthentications", readRequired],
  ["proxycommand", special.readProxyCommand],
  ["proxyjump", special.readProxyJump],
  ["proxyusefdpass", yesNo],
  ["pubkeyacceptedalgorithms pubkeyacceptedkeytypes", keyTypes],
  [
    "pubkeyauthentication dsaauthentication",
    choice({ ...TRUE_FALSE, unbound: "unbound", "host-bound": "host-bound" }),
  ],
  ["refuseconnection", special.readRefuseConnection, SINCE.refuseConnection],
  ["rekeylimit", special.readRekeyLimit],
  ["remotecommand", readCommand],
  ["remoteforward", special.forward("remote")],
  ["requesttty", choice({ ...TRUE_FALSE, force: "force", auto: "auto" })],
  ["requiredrsasize", readInteger],
  ["revokedhostkeys", special.readRevokedHostKeys],
  ["securitykeyprovider", readRequired],
  ["sendenv", special.readSendEnv],
  ["serveralivecountmax", readInteger],
  // The two further names are Debian's.
  ["serveraliveinterval protocolkeepalives setuptimeout", readSeconds],
  ["sessiontype", choice({ none: "none", subsystem: "subsystem", default: "default" })],
  ["setenv", special.readSetEnv],
  ["stdinnull", yesNo],
  ["streamlocalbindmask", special.readMask],
  ["streamlocalbindunlink", yesNo],
  ["stricthostkeychecking", choice({ ...ASK, off: "false", "accept-new": "accept-new" })],
  ["syslogfacility", special.readFacility],
  ["tag", readRequired, SINCE.tag],
  ["tcpkeepalive keepalive", yesNo],
  [
    "tunnel",
    choice({
      true: "point-to-point",
      yes: "point-to-point",
      false: "false",
      no: "false",
      ethernet: "ethernet",
      "point-to-point": "point-to-point",
    }),
  ],
  ["tunneldevice", special.readTunnelDevice],
  ["updatehostkeys", choice(ASK)],
  ["user", readRequired],
  ["userknownhostsfile", special.readFiles],
  ["verifyhostkeydns", choice(ASK)],
  ["versionaddendum", readCommand, SINCE.versionAddendum],
  ["visualhostkey", yesNo],
  ["warnweakcrypto", choice({ ...YES_NO, "no-pq-kex": "no" }), SINCE.warnWeakCrypto],
  ["xauthlocation", readRequired],
  // Deprecated or unsupported: accepted and ignored.
  ["afstokenpassing cipher compressionlevel fallbacktorsh globalknownhostsfile2", ignored],
  [
    "kerberosauthentication kerberostgtpassing protocol rhostsauthentication rhostsrsaauthentication",
    ignored,
  ],
  ["rsaauthentication useblacklistedkeys useprivilegedport userknownhostsfile2 useroaming usersh", ignored],
];

/** By lower-case name. Match is not here: its line is not made of words. */
export const KEYWORDS: ReadonlyMap<string, Keyword> = new Map(
  READERS.flatMap(([names, read, since = 0]) => {
    const [key = "", ...others] = names.split(" ");
    return [key, ...others].map((name) => [name, { key, read, since }] as const);
  }),
);

/** Every keyword of ssh_config that OpenSSH knows, and how its value is read (the table in readconf.c). */
import { SINCE, type DialectVersion } from "./dialect.js";
import { NOTHING, type Reader } from "./line-reader.js";
import * as network from "./network-readers.js";
import * as setting from "./setting-readers.js";
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
  ["addkeystoagent", setting.readAddKeys],
  ["addressfamily", choice({ inet: "inet", inet6: "inet6", any: "any" })],
  ["batchmode", yesNo],
  ["bindaddress", readRequired],
  ["bindinterface", readRequired],
  ["canonicaldomains", network.readCanonicalDomains],
  ["canonicalizefallbacklocal", yesNo],
  ["canonicalizehostname", choice({ ...TRUE_FALSE, always: "always" })],
  ["canonicalizemaxdots", readInteger],
  ["canonicalizepermittedcnames", network.readPermittedCnames],
  ["casignaturealgorithms", algorithms("ca", "key types")],
  ["certificatefile", setting.readAppended],
  ["channeltimeout", network.readChannelTimeout, SINCE.channelTimeout],
  ["checkhostip", yesNo],
  ["ciphers", algorithms("cipher", "SSH2 cipher spec")],
  ["clearallforwardings", yesNo],
  ["compression", choice({ yes: "yes", no: "no" })],
  ["connectionattempts", readInteger],
  ["connecttimeout", readSeconds],
  ["controlmaster", choice({ ...ASK, auto: "auto", autoask: "autoask" })],
  ["controlpath", readRequired],
  ["controlpersist", network.readControlPersist],
  ["dynamicforward", network.forward("dynamic")],
  ["enableescapecommandline", yesNo],
  ["enablesshkeysign", yesNo],
  ["escapechar", setting.readEscapeChar],
  ["exitonforwardfailure", yesNo],
  ["fingerprinthash", setting.readFingerprintHash],
  ["forkafterauthentication", yesNo],
  ["forwardagent", setting.readForwardAgent],
  ["forwardx11", yesNo],
  ["forwardx11timeout", readSeconds],
  ["forwardx11trusted", yesNo],
  ["gatewayports", yesNo],
  ["globalknownhostsfile", setting.readFiles],
  ["gssapiauthentication", yesNo],
  ["gssapiclientidentity", readRequired],
  ["gssapidelegatecredentials", yesNo],
  ["gssapikexalgorithms", algorithms("gss-kex", "GSSAPI KexAlgorithms")],
  ["gssapikeyexchange", yesNo],
  ["gssapirenewalforcesrekey", yesNo],
  ["gssapiserveridentity", readRequired],
  ["gssapitrustdns", yesNo],
  ["hashknownhosts", yesNo],
  ["host", setting.readHost],
  ["hostbasedacceptedalgorithms hostbasedkeytypes", keyTypes],
  ["hostbasedauthentication", yesNo],
  ["hostkeyalgorithms", keyTypes],
  ["hostkeyalias", readRequired],
  ["hostname", readRequired],
  ["identitiesonly", yesNo],
  ["identityagent", setting.readIdentityAgent],
  ["identityfile identityfile2", setting.readAppended],
  ["ignoreunknown", readRequired],
  ["include", setting.readInclude],
  ["ipqos", network.readQos],
  [
    "kbdinteractiveauthentication challengeresponseauthentication skeyauthentication tisauthentication",
    yesNo,
  ],
  ["kbdinteractivedevices", readRequired],
  ["kexalgorithms", algorithms("kex", "SSH2 KexAlgorithms")],
  ["knownhostscommand", readCommand],
  ["localcommand", readCommand],
  ["localforward", network.forward("local")],
  ["loglevel", setting.readLogLevel],
  ["logverbose", setting.readLogVerbose],
  ["macs", algorithms("mac", "SSH2 MAC spec")],
  ["nohostauthenticationforlocalhost", yesNo],
  ["numberofpasswordprompts", readInteger],
  ["obscurekeystroketiming", network.readKeystrokeTiming, SINCE.obscureKeystrokeTiming],
  ["passwordauthentication", yesNo],
  ["permitlocalcommand", yesNo],
  ["permitremoteopen", network.readPermitRemoteOpen],
  ["pkcs11provider smartcarddevice", readRequired],
  ["port", network.readPort],
  ["preferredauthentications", readRequired],
  ["proxycommand", network.readProxyCommand],
  ["proxyjump", network.readProxyJump],
  ["proxyusefdpass", yesNo],
  ["pubkeyacceptedalgorithms pubkeyacceptedkeytypes", keyTypes],
  [
    "pubkeyauthentication dsaauthentication",
    choice({ ...TRUE_FALSE, unbound: "unbound", "host-bound": "host-bound" }),
  ],
  ["refuseconnection", setting.readRefuseConnection, SINCE.refuseConnection],
  ["rekeylimit", network.readRekeyLimit],
  ["remotecommand", readCommand],
  ["remoteforward", network.forward("remote")],
  ["requesttty", choice({ ...TRUE_FALSE, force: "force", auto: "auto" })],
  ["requiredrsasize", readInteger],
  ["revokedhostkeys", setting.readRevokedHostKeys],
  ["securitykeyprovider", readRequired],
  ["sendenv", setting.readSendEnv],
  ["serveralivecountmax", readInteger],
  // The two further names are Debian's.
  ["serveraliveinterval protocolkeepalives setuptimeout", readSeconds],
  ["sessiontype", choice({ none: "none", subsystem: "subsystem", default: "default" })],
  ["setenv", setting.readSetEnv],
  ["stdinnull", yesNo],
  ["streamlocalbindmask", network.readMask],
  ["streamlocalbindunlink", yesNo],
  ["stricthostkeychecking", choice({ ...ASK, off: "false", "accept-new": "accept-new" })],
  ["syslogfacility", setting.readFacility],
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
  ["tunneldevice", network.readTunnelDevice],
  ["updatehostkeys", choice(ASK)],
  ["user", readRequired],
  ["userknownhostsfile", setting.readFiles],
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

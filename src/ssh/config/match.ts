/** Whether the criteria of a Match line hold for a host. */
import { createHash } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { matchHostname, matchPatternList } from "../../lib/wildcard.js";
import { SINCE } from "./dialect.js";
import type { Criterion } from "./directive.js";
import type { ConfigEnvironment } from "./environment.js";
import type { ConfigOptions } from "./options.js";
import { expand, type Expanded, type Tokens } from "./tokens.js";

/** The host, as far as it is known while the files are read. */
export interface Subject {
  /** As typed. */
  readonly originalHost: string;
  /** The name that Host patterns match: as typed at first, the resolved name in the final pass. */
  readonly host: string;
  readonly pass: "first" | "final";
  /** See Purpose. */
  readonly purpose: Purpose;
}

/** The session runs our own command, as `ssh host command`, or is a jump to another host, as `ssh -W`. */
export type Purpose = "command" | "forward";

/** The start of the command that we run, for `Match command`. */
const OUR_COMMAND = "exec /bin/sh";

export type MatchResult =
  | { readonly kind: "answer"; readonly matched: boolean; readonly wantsFinalPass: boolean }
  | { readonly kind: "bad"; readonly message: string; readonly fatal: boolean };

/** Evaluates all criteria, as ssh does; only `exec` is skipped once one has failed. */
export async function matches(
  criteria: readonly Criterion[],
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Promise<MatchResult> {
  const facts = gatherFacts(subject, options, environment);
  if (typeof facts === "string") return { kind: "bad", message: facts, fatal: true };
  let matched = true;
  let wantsFinalPass = false;
  for (const criterion of criteria) {
    let holds: boolean;
    if (criterion.name === "exec") {
      const command = expand(criterion.argument, { tokens: facts.tokens() });
      if (!command.ok) return { kind: "bad", message: command.message, fatal: true };
      if (!matched) continue;
      try {
        holds = await environment.runMatchExec(command.text);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { kind: "bad", message: `match exec '${command.text}' error: ${reason}`, fatal: true };
      }
    } else if (criterion.name === "localnetwork") {
      const answer = onNetwork(criterion.argument, environment.localAddresses());
      if (answer === null) {
        return { kind: "bad", message: `Invalid network list ${criterion.argument}`, fatal: false };
      }
      holds = answer;
    } else {
      holds = criterionHolds(criterion, facts, environment);
      if (criterion.name === "final") {
        if (!criterion.negated || environment.dialect < SINCE.negatedFinal) wantsFinalPass = true;
      }
    }
    if (holds === criterion.negated) matched = false;
  }
  return { kind: "answer", matched, wantsFinalPass };
}

/** Tokens and variables as they stand at this line of the files: for Include. */
export function expandWhileReading(
  text: string,
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Expanded {
  const facts = gatherFacts(subject, options, environment);
  if (typeof facts === "string") return { ok: false, message: facts };
  return expand(text, { tokens: facts.tokens(), env: environment.env });
}

interface Facts {
  readonly subject: Subject;
  readonly host: string;
  readonly user: string;
  readonly localUser: string;
  readonly tag: string;
  readonly sessionType: string;
  readonly tokens: () => Tokens;
}

function gatherFacts(
  subject: Subject,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Facts | string {
  const named = options.text("hostname");
  let host = named ?? subject.host;
  if (named !== null && subject.pass === "first") {
    const expanded = expand(named, { tokens: { h: subject.host } });
    if (!expanded.ok) return expanded.message;
    host = expanded.text;
  }
  const user = options.text("user") ?? environment.localUser;
  const tokens = (): Tokens =>
    connectionTokens(environment, {
      originalHost: subject.originalHost,
      host,
      user,
      port: options.number("port") ?? 22,
      keyAlias: options.text("hostkeyalias") ?? host,
      jumpHost: /^none$/i.test(options.jumpHost) ? "" : options.jumpHost,
    });
  const tag = options.text("tag") ?? "";
  const sessionType = sessionTypeOf(subject, options);
  return { subject, host, user, localUser: environment.localUser, tag, sessionType, tokens };
}

/** `ssh -W` opens no session; a command of our own is an `exec` unless the files set another type. */
function sessionTypeOf({ purpose }: Subject, options: ConfigOptions): string {
  const written = options.text("sessiontype") ?? "default";
  if (purpose === "forward") return "none";
  return written === "default" ? "exec" : written;
}

function criterionHolds(
  { name, argument }: Criterion,
  facts: Facts,
  environment: ConfigEnvironment,
): boolean {
  switch (name) {
    case "all":
      return true;
    case "canonical":
    case "final":
      return facts.subject.pass === "final";
    case "host":
      return matchHostname(facts.host, argument);
    case "originalhost":
      return matchHostname(facts.subject.originalHost, argument);
    case "user":
      return matchPatternList(facts.user, argument) === "matched";
    case "localuser":
      return matchPatternList(facts.localUser, argument) === "matched";
    case "tagged":
      return listHolds(facts.tag, argument, environment);
    case "sessiontype":
      return matchPatternList(facts.sessionType, argument) === "matched";
    case "version":
      return matchPatternList(environment.release, argument) === "matched";
    case "command":
      return listHolds(facts.subject.purpose === "command" ? OUR_COMMAND : "", argument, environment);
    case "exec":
    case "localnetwork":
      return false;
  }
}

/** An absent value is matched only by an empty argument, in dialects that have empty arguments. */
function listHolds(value: string, list: string, environment: ConfigEnvironment): boolean {
  const matched = matchPatternList(value, list) === "matched";
  if (value !== "" || matched === (list === "")) return matched;
  return environment.dialect >= SINCE.matchSession ? list === "" : matched;
}

/** Null when the list is malformed. */
function onNetwork(list: string, addresses: readonly string[]): boolean | null {
  const wanted = new BlockList();
  const unwanted = new BlockList();
  for (const item of list.split(",")) {
    const [, bang = "", address = "", bits] = /^(!?)([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
    const version = isIP(address);
    const widest = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? widest : Number(bits);
    if (version === 0 || prefix > widest) return null;
    (bang === "" ? wanted : unwanted).addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
  return addresses.some((address) => {
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    return wanted.check(address, family) && !unwanted.check(address, family);
  });
}

export interface ConnectionFacts {
  readonly originalHost: string;
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly keyAlias: string;
  /** Empty without a jump. */
  readonly jumpHost: string;
}

/** The tokens of most keywords (ssh_config(5), TOKENS). */
export function connectionTokens(environment: ConfigEnvironment, facts: ConnectionFacts): Tokens {
  const { localHostname } = environment;
  const knowsJump = (): boolean => environment.dialect >= SINCE.jumpToken;
  return {
    // Hashed only where it is used: few configurations do, and there may be 100,000 hosts.
    get C() {
      const jump = facts.jumpHost !== "" && knowsJump() ? facts.jumpHost : "";
      const hashed = localHostname + facts.host + String(facts.port) + facts.user + jump;
      return createHash("sha1").update(hashed).digest("hex");
    },
    get j() {
      return knowsJump() ? facts.jumpHost : undefined;
    },
    L: localHostname.split(".", 1)[0] ?? "",
    d: environment.home,
    h: facts.host,
    i: String(environment.uid),
    k: facts.keyAlias,
    l: localHostname,
    n: facts.originalHost,
    p: String(facts.port),
    r: facts.user,
    u: environment.localUser,
  };
}

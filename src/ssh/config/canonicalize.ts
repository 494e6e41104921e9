/** CanonicalizeHostname and its family (resolve_canonicalize in ssh.c). */
import { matchPatternList } from "../../lib/wildcard.js";
import { canonicalAddress, looksNumeric } from "./addresses.js";
import { ConfigError } from "./config-error.js";
import type { AddressFamily, ConfigEnvironment, NameFound } from "./environment.js";
import type { ConfigOptions } from "./options.js";

/** The name to connect to. Throws ConfigError where ssh would exit for a name that cannot be resolved. */
export async function canonicalize(
  host: string,
  options: ConfigOptions,
  environment: ConfigEnvironment,
): Promise<string> {
  const family = familyOf(options);
  const address = canonicalAddress(host, family);
  if (address !== null) return address;

  const search = new Search(options, environment, family);
  if (looksNumeric(host)) return search.followBareName(host);
  const found = await search.searchDomains(host);
  if (found !== null) return found;
  return search.followBareName(host);
}

export function familyOf(options: ConfigOptions): AddressFamily {
  const family = options.text("addressfamily");
  return family === "inet" || family === "inet6" ? family : "any";
}

class Search {
  private readonly mode: string;
  private readonly rules: readonly string[];
  private isHung = false;
  constructor(
    private readonly options: ConfigOptions,
    private readonly environment: ConfigEnvironment,
    private readonly family: AddressFamily,
  ) {
    this.mode = options.text("canonicalizehostname") ?? "false";
    const rules = options.list("canonicalizepermittedcnames") ?? [];
    this.rules = rules.length === 1 && rules[0]?.toLowerCase() === "none:" ? [] : rules;
  }

  /** The first domain under which the name exists; null when canonicalization does not apply or finds nothing. */
  async searchDomains(host: string): Promise<string | null> {
    if (this.mode === "false" || (!this.options.direct && this.mode !== "always")) return null;
    for (const candidate of this.candidates(host)) {
      const found = await this.lookup(candidate);
      if (found === null) continue;
      const name = candidate.replace(/\.$/, "");
      return this.follow(name, found.canonicalName);
    }
    if (this.tooManyDots(host) || this.options.text("canonicalizefallbacklocal") !== "no") return null;
    throw unresolvable(host);
  }

  /** Without canonicalization, permitted CNAMEs are still followed for names that we would look up ourselves. */
  async followBareName(host: string): Promise<string> {
    const { direct } = this.options;
    if (this.rules.length === 0 || (!direct && this.mode !== "always")) return host;
    const found = await this.lookup(host);
    if (found !== null) return this.follow(host, found.canonicalName);
    // A name without an answer is looked up again when the host is dialled: one such name must not end the run of the others.
    if (direct && !this.isHung) throw unresolvable(host);
    return host;
  }

  private candidates(host: string): string[] {
    if (host.endsWith(".")) return [host];
    if (this.tooManyDots(host)) return [];
    const domains = this.options.list("canonicaldomains") ?? [];
    const end = domains.findIndex((domain) => domain.toLowerCase() === "none");
    return (end === -1 ? domains : domains.slice(0, end)).map((domain) => `${host}.${domain}.`);
  }

  private tooManyDots(host: string): boolean {
    if (host.endsWith(".")) return false;
    return host.split(".").length - 1 > (this.options.number("canonicalizemaxdots") ?? 1);
  }

  /** After one look-up without an answer none is made any more: the connection has a timeout of its own. */
  private async lookup(name: string): Promise<NameFound | null> {
    if (this.isHung) return null;
    const { family, rules, options } = this;
    const limitSecs = options.number("connecttimeout");
    const found = await this.environment.lookup(name, family, rules.length > 0, limitSecs);
    if (found !== "no-answer") return found;
    this.isHung = true;
    return null;
  }

  private follow(name: string, canonicalName: string | null): string {
    if (canonicalName === null || canonicalName === "" || canonicalName === name) return name;
    if (this.rules.length === 0 || this.mode === "false") return name;
    if (!this.options.direct && this.mode !== "always") return name;
    const permitted = this.rules.some((rule) => {
      const colon = rule.indexOf(":");
      return (
        matchPatternList(name, rule.slice(0, colon), true) === "matched" &&
        matchPatternList(canonicalName, rule.slice(colon + 1), true) === "matched"
      );
    });
    return permitted ? canonicalName : name;
  }
}

/** The start of the message for a name that the resolver does not know. */
export const UNRESOLVABLE = "Could not resolve host";

function unresolvable(host: string): ConfigError {
  return new ConfigError([{ file: null, line: null, message: `${UNRESOLVABLE} "${host}"`, ofHost: true }]);
}

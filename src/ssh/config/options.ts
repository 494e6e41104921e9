/** The values that one host's configuration has collected, each with the line that decided it. */
import { matchPattern } from "../../lib/wildcard.js";
import type { SettingValue } from "./directive.js";
import type { Forward } from "./forwards.js";
import type { Origin } from "./host-config.js";
import type { Jump } from "./jump.js";

/** The proxy that is chosen so far. `no-jump`: `ProxyJump none`, which excludes later jumps but not a command. */
export type ChosenProxy =
  | { readonly kind: "unset" }
  | { readonly kind: "no-jump" }
  | { readonly kind: "jump"; readonly jump: Extract<Jump, { kind: "via" }> }
  | { readonly kind: "command"; readonly command: string };

interface Setting {
  readonly value: SettingValue;
  readonly origin: Origin;
}

export interface NamedFile {
  readonly path: string;
  readonly ofUser: boolean;
}

export class ConfigOptions {
  private readonly settings = new Map<string, Setting>();
  /** IdentityFile and CertificateFile accumulate. */
  readonly identityFiles: NamedFile[] = [];
  readonly certificateFiles: NamedFile[] = [];
  sendEnv: string[] = [];
  localForwards: Forward[] = [];
  remoteForwards: Forward[] = [];
  proxy: ChosenProxy = { kind: "unset" };
  /** The first line of each keyword that accumulates, and of the proxy. */
  private readonly otherOrigins = new Map<string, Origin>();

  has(key: string): boolean {
    return this.settings.has(key);
  }

  /** First value wins. */
  offer(key: string, value: SettingValue, origin: Origin): void {
    if (!this.settings.has(key)) this.settings.set(key, { value, origin });
  }

  /** For values that ssh itself replaces: the hostname once it is known, expanded values. */
  replace(key: string, value: SettingValue, origin?: Origin): void {
    const known = this.settings.get(key);
    this.settings.set(key, { value, origin: origin ?? known?.origin ?? { kind: "default" } });
  }

  clear(key: string): void {
    this.settings.delete(key);
  }

  text(key: string): string | null {
    const value = this.settings.get(key)?.value;
    return typeof value === "string" ? value : null;
  }

  number(key: string): number | null {
    const value = this.settings.get(key)?.value;
    return typeof value === "number" ? value : null;
  }

  /** For commands, paths and providers, where `none` means unset. */
  textUnlessNone(key: string): string | null {
    const value = this.text(key);
    return value === null || value.toLowerCase() === "none" ? null : value;
  }

  list(key: string): readonly string[] | null {
    const value = this.settings.get(key)?.value;
    return typeof value === "object" ? value : null;
  }

  yes(key: string): boolean {
    const value = this.text(key);
    return value === "yes" || value === "true";
  }

  noteOrigin(key: string, origin: Origin): void {
    if (!this.otherOrigins.has(key)) this.otherOrigins.set(key, origin);
  }

  /** By the names that `ssh -G` prints; keywords at ssh's default are left out. */
  origins(): ReadonlyMap<string, Origin> {
    const origins = new Map(this.otherOrigins);
    for (const [key, { origin }] of this.settings) if (origin.kind !== "default") origins.set(key, origin);
    return origins;
  }

  /** `SendEnv -pattern` removes names again. */
  sendEnvironment(names: readonly string[]): void {
    for (const name of names) {
      if (name.startsWith("-"))
        this.sendEnv = this.sendEnv.filter((kept) => !matchPattern(kept, name.slice(1)));
      else this.sendEnv.push(name);
    }
  }

  addForward(side: "local" | "remote", forward: Forward): void {
    const forwards = side === "local" ? this.localForwards : this.remoteForwards;
    const written = JSON.stringify(forward);
    if (!forwards.some((known) => JSON.stringify(known) === written)) forwards.push(forward);
  }

  /** The host of the last hop, for the tokens %j and %C; empty without a jump. */
  get jumpHost(): string {
    return this.proxy.kind === "jump" ? this.proxy.jump.last.host : "";
  }

  /** The host is dialled directly: by no jump and no command. */
  get direct(): boolean {
    if (this.proxy.kind === "jump") return this.jumpHost.toLowerCase() === "none";
    return this.proxy.kind !== "command" || this.proxy.command.toLowerCase() === "none";
  }
}

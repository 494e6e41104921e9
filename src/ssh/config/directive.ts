/** What one line of ssh_config sets. Types only. */
import type { Forward } from "./forwards.js";
import type { Jump } from "./jump.js";

/** A flag, enum, text or composite as `ssh -G` prints it; a number; a list. */
export type SettingValue = string | number | readonly string[];

export type Directive =
  /** Each value is kept only where its key has none yet. */
  | { readonly kind: "set"; readonly settings: readonly (readonly [string, SettingValue])[] }
  /** Applies even in a block that does not match, as in ssh for two keywords. */
  | {
      readonly kind: "set-anyway";
      readonly key: string;
      readonly value: SettingValue;
      readonly replace: boolean;
    }
  | { readonly kind: "files"; readonly key: string; readonly paths: readonly string[] }
  | { readonly kind: "append"; readonly key: string; readonly path: string }
  | { readonly kind: "send-env"; readonly names: readonly string[] }
  | { readonly kind: "forward"; readonly side: "local" | "remote"; readonly forward: Forward }
  | { readonly kind: "jump"; readonly jump: Jump }
  | { readonly kind: "proxy-command"; readonly command: string }
  | { readonly kind: "include"; readonly patterns: readonly string[] }
  | { readonly kind: "host"; readonly patterns: readonly string[] }
  | { readonly kind: "match"; readonly criteria: readonly Criterion[]; readonly problem: string | null }
  | { readonly kind: "refuse"; readonly message: string }
  | { readonly kind: "nothing" }
  /** A mistake unless an earlier IgnoreUnknown covers the keyword. */
  | { readonly kind: "unknown"; readonly keyword: string }
  /** `fatal`: ssh stops at once and does not read further. */
  | { readonly kind: "bad"; readonly message: string; readonly fatal: boolean };

export type CriterionName =
  | "all"
  | "canonical"
  | "final"
  | "host"
  | "originalhost"
  | "user"
  | "localuser"
  | "exec"
  | "tagged"
  | "localnetwork"
  | "version"
  | "sessiontype"
  | "command";

export interface Criterion {
  readonly name: CriterionName;
  readonly negated: boolean;
  /** Empty for all, canonical and final. */
  readonly argument: string;
}

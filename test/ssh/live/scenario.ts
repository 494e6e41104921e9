/** One line of the live suite: where to connect, with which config and keys, and the known result of ssh. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Place, World } from "./world.js";

export interface Scenario {
  readonly name: string;
  /** The place in the world that the config's `Host target` points to. */
  readonly at: string;
  /** What ssh must answer, so that a scenario that tests nothing is noticed: `reached 0`, `refused: auth`. */
  readonly expect: string | RegExp;
  /** Lines of `Host target`, before ours. */
  readonly host?: (side: Side) => readonly string[];
  /** Blocks after `Host target`. */
  readonly rest?: (side: Side) => readonly string[];
  /** known_hosts; every key of the place by default. */
  readonly known?: (side: Side) => string;
  /** IdentityFile by key name; `ed25519` by default, null for none. */
  readonly key?: string | null;
  /** `ssh -i` and `--ssh-key`, by key name. */
  readonly flags?: readonly string[];
  readonly target?: string;
  readonly env?: (side: Side) => NodeJS.ProcessEnv;
  /** Which program must have spoken SSH; ssh2 by default, where the host is reached. */
  readonly client?: "openssh";
  readonly needs?: "dropbear" | "ipv6";
  /** A known disagreement, and why it stays. */
  readonly stays?: string;
}

/** What one of the two programs gets: files of its own, so that neither sees what the other wrote. */
export interface Side {
  readonly world: World;
  readonly place: Place;
  readonly dir: string;
  /** Writes a file beside the config and gives its path. */
  file(name: string, text: string, mode?: number): string;
}

export interface Prepared {
  readonly configFile: string;
  readonly keyFiles: readonly string[];
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dir: string;
}

/** Writes a scenario's files below `dir`. */
export function prepare(scenario: Scenario, world: World, dir: string): Prepared {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const place = world.place(scenario.at);
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode });
    return path;
  };
  const side: Side = { world, place, dir, file };
  const known = file("known_hosts", scenario.known === undefined ? place.known() : scenario.known(side));
  const key = scenario.key === undefined ? "ed25519" : scenario.key;
  const lines = [
    "Host target",
    ...(scenario.host?.(side) ?? []),
    `HostName ${place.address}`,
    `Port ${place.port}`,
    `User ${place.user}`,
    ...(key === null ? [] : [`IdentityFile ${world.key(key)}`]),
    ...(scenario.rest?.(side) ?? []),
    "Host *",
    "BatchMode yes",
    "IdentityAgent none",
    `IdentityFile ${join(dir, "no-default-key")}`,
    `UserKnownHostsFile ${known}`,
    "GlobalKnownHostsFile /dev/null",
    "ConnectTimeout 5",
    // ssh's own default costs 100 ms of CPU a connection.
    "KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256",
  ];
  return {
    configFile: file("config", `${lines.join("\n")}\n`),
    keyFiles: (scenario.flags ?? []).map((name) => world.key(name)),
    target: scenario.target ?? "target",
    env: { ...process.env, SSH_AUTH_SOCK: undefined, ...scenario.env?.(side) },
    dir,
  };
}

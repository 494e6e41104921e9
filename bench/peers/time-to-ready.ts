/**
 * Connects by our program's own parts and says how long it took to be authenticated, without the loading of code.
 * Arguments: the program's folder, target host, port, user, key, known_hosts.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist = "", host = "", port = "", user = "", keyFile = "", knownHostsFile = ""] = process.argv.slice(2);
const load = (path: string): Promise<Record<string, (...args: unknown[]) => unknown>> =>
  import(pathToFileURL(join(dist, path)).href) as never;
const { parseArgv } = await load("cli.js");
const { planTargets } = await load("live.js");
const { createSshShared } = await load("ssh/shared.js");
const { createHostConnector } = await load("ssh/host-connector.js");
const { realClock } = await load("lib/clock.js");
const { loadSsh2 } = await load("ssh/client.js");
await loadSsh2?.();
const argv = [
  "--ssh",
  `${user}@${host}:${port}`,
  "--ssh-config",
  "none",
  "--ssh-key",
  keyFile,
  "--ssh-known-hosts",
  knownHostsFile,
];
const { options } = (await parseArgv?.(argv, () => Promise.resolve(""))) as {
  options: { ssh: unknown; source: { targets: unknown[] } };
};
const [planned] = (await planTargets?.(options, options.source.targets, {})) as {
  target: unknown;
  plan: unknown;
}[];
const shared = createSshShared?.(realClock, 32, () => undefined);
const connector = createHostConnector?.({ ...planned, options: options.ssh }, shared) as {
  connect(signal: AbortSignal): Promise<{ close(): Promise<void> }>;
};
const begun = performance.now();
const connection = await connector.connect(AbortSignal.timeout(30_000));
process.stdout.write(`ready ${performance.now() - begun}\n`);
await connection.close();
process.exit(0);

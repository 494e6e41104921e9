/**
 * Connects by our program's own parts and says how long it took to be authenticated, without the loading of code. Run
 * from its source. Arguments: target host, port, user, key, known_hosts.
 */
import { parseArgv } from "../../src/cli/parse-argv.js";
import { planTargets } from "../../src/fleet/open-fleet.js";
import { realClock } from "../../src/lib/clock.js";
import { createHostConnector } from "../../src/ssh/host-connector.js";
import { inProcessNames } from "../../src/ssh/names/names.js";
import { createSshShared } from "../../src/ssh/shared.js";
import { loadSsh2 } from "../../src/ssh/ssh2/client.js";

const [host = "", port = "", user = "", keyFile = "", knownHostsFile = ""] = process.argv.slice(2);
const files = ["--ssh-config", "none", "--ssh-key", keyFile, "--ssh-known-hosts", knownHostsFile];
await loadSsh2();
const command = await parseArgv(["--ssh", `${user}@${host}:${port}`, ...files], () => Promise.resolve(""));
if (command.kind !== "run" || command.options.source.kind !== "targets")
  throw new Error("no target was given");
const { options } = command;
const world = { env: {}, clock: realClock, names: inProcessNames() };
const [planned] = await planTargets(options, command.options.source.targets, world, (_, error) => {
  throw error;
});
if (planned === undefined || planned.plan === null) throw new Error("no target was planned");
const { target, plan } = planned;
const shared = createSshShared(realClock, 32, () => undefined);
const connector = createHostConnector({ target, plan, options: options.ssh }, shared);
const begun = performance.now();
const connection = await connector.connect(AbortSignal.timeout(30_000));
process.stdout.write(`ready ${performance.now() - begun}\n`);
await connection.close();
process.exit(0);

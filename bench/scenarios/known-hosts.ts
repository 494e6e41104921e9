/** A thousand hosts looked up in known_hosts with a thousand hashed entries: CPU of a whole run, hashed beside plain. */
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { KnownIndex } from "../../src/ssh/known-hosts/fast/known-index.js";
import { KnownHostsStore } from "../../src/ssh/known-hosts/known-hosts.js";
import { startFarm } from "../fleet/fleet.js";
import { Rounds } from "../measure/figures.js";
import type { Scenario } from "./scenario.js";

export const knownHosts: Scenario = {
  name: "known-hosts",
  about: "1,000 hosts in 1,000 hashed entries",
  takes: "1 minute",
  async run({ runs, quick }) {
    const farm = await startFarm(1000);
    try {
      const hashed = join(farm.dir, "known_hosts.hashed");
      copyFileSync(farm.knownHostsFile, hashed);
      execFileSync("ssh-keygen", ["-H", "-f", hashed], { stdio: "ignore" });
      const seconds = new Rounds();
      for (let round = 0; round < (runs ?? (quick ? 1 : 5)); round++) {
        for (const [name, file] of [
          ["hashed", hashed],
          ["plain", farm.knownHostsFile],
        ] as const) {
          const begun = process.cpuUsage();
          const store = new KnownHostsStore(() => new KnownIndex());
          let found = 0;
          for (const address of farm.addresses) {
            const known = store.open({ userFiles: [file], globalFiles: [], revokedFiles: [] });
            const { port } = farm;
            found += known.knownKeyTypes({
              name: `[${address}]:${port}`,
              address: null,
              withoutPort: null,
              host: address,
              port,
            }).length;
          }
          const { user, system } = process.cpuUsage(begun);
          if (found < farm.addresses.length)
            throw new Error(`${found} of ${farm.addresses.length} are known`);
          seconds.add(name, (user + system) / 1e6);
        }
      }
      return {
        figures: [
          {
            id: "known-hosts.hashed-1000-by-1000-s",
            what: "1,000 hosts by 1,000 hashed entries, CPU",
            unit: "s",
            values: seconds.of("hashed"),
          },
          {
            id: "known-hosts.plain-1000-by-1000-s",
            what: "the same with plain entries",
            unit: "s",
            values: seconds.of("plain"),
          },
        ],
      };
    } finally {
      await farm.stop();
    }
  },
};

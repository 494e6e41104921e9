/** A name server that never answers, and a mount namespace whose /etc/resolv.conf names it and no other. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTempDir } from "./temp-dir.js";

const SCRIPT = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';

/** Why there can be none here, for `test(..., { skip })`; null when there can. */
export const missingNamespace = whyNot();

function whyNot(): string | null {
  try {
    execFileSync("unshare", ["-m", "sh", "-c", "mount --bind /dev/null /etc/resolv.conf"], {
      stdio: "ignore",
    });
    return null;
  } catch {
    return "SKIPPED LOUDLY: no right to mount in a namespace of our own";
  }
}

export interface HangingDns {
  /** What a command is to be run by: every name that is in no file hangs for minutes then. */
  readonly within: readonly string[];
  stop(): void;
}

/** On an address of loopback that no other test of this machine has, most likely. Throws without the right to port 53. */
export async function startHangingDns(): Promise<HangingDns> {
  const part = (): number => 1 + Math.floor(Math.random() * 250);
  const address = `127.${part()}.${part()}.${part()}`;
  const server = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.bind(53, address, resolve);
  });
  const temp = makeTempDir("dns");
  const file = join(temp.path, "resolv.conf");
  writeFileSync(file, `nameserver ${address}\noptions timeout:30 attempts:5\n`);
  return {
    within: ["unshare", "-m", "sh", "-c", SCRIPT, "sh", file],
    stop: () => {
      server.close();
      temp.remove();
    },
  };
}

/** What to do where the network does not lead to a host: what to change, and a command that shows how things are. */
import type { FailureCode } from "../../contract/record.js";

const FILTERED: readonly FailureCode[] = ["connect-timeout", "handshake-timeout", "network-unreachable"];

/** Null: nothing is known, or the name cannot stand in a command. */
export function wayFix(code: FailureCode, host: string, port: number): string | null {
  if (!/^[\w.:-]+$/.test(host) || host.startsWith("-")) return null;
  const scan = `this prints its keys once it can be reached: ssh-keyscan -T 5 -p ${port} ${host}`;
  if (code === "dns-not-found")
    return `correct the name, or give it an address in ~/.ssh/config (HostName); names are looked up as by: getent hosts ${host}`;
  if (code === "connection-refused")
    return `start sshd there, or give the right port (HOST:PORT, or Port in ~/.ssh/config); ${scan}`;
  if (!FILTERED.includes(code)) return null;
  return `have the firewalls on the way let it through, or name a jump host (ProxyJump in ~/.ssh/config); ${scan}`;
}

/**
 * ssh2 by itself, as well as its public API allows: own sockets without delay, straight to publickey, key and
 * known_hosts parsed once. One exec a host. Arguments: hostfile, key, known_hosts, concurrency, command.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import ssh2 from "ssh2";
import type { ParsedKey, PublicKeyAuthMethod } from "ssh2";

const [hostfile = "", keyFile = "", knownHostsFile = "", concurrency = "32", command = ""] =
  process.argv.slice(2);
const key = parsed(ssh2.utils.parseKey(readFileSync(keyFile)));
const known = new Map<string, string>();
for (const line of readFileSync(knownHostsFile, "utf8").split("\n")) {
  const [name, , blob] = line.split(" ");
  if (name !== undefined && blob !== undefined) known.set(name, blob);
}
const targets = readFileSync(hostfile, "utf8")
  .split("\n")
  .filter((line) => line !== "");

function parsed(found: ParsedKey | Error): ParsedKey {
  if (found instanceof Error) throw found;
  return found;
}

function sample(target: string): Promise<number> {
  const at = target.lastIndexOf("@");
  const username = target.slice(0, at);
  const colon = target.lastIndexOf(":");
  const [host, port] = [target.slice(at + 1, colon), Number(target.slice(colon + 1))];
  const method: PublicKeyAuthMethod = { type: "publickey", username, key };
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on("error", reject);
    client.on("ready", () => {
      client.exec(command, (error, stream) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        let text = "";
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
        stream.stderr.resume();
        stream.on("close", () => {
          client.end();
          resolve(text.split("\n").length - 1);
        });
      });
    });
    client.connect({
      sock: connect({ host, port, noDelay: true }),
      username,
      hostVerifier: (blob: Buffer) => blob.toString("base64") === known.get(`[${host}]:${port}`),
      authHandler: [method],
      algorithms: { kex: ["curve25519-sha256"], serverHostKey: ["ssh-ed25519"] },
    });
  });
}

let next = 0;
let lines = 0;
async function worker(): Promise<void> {
  for (let target = targets[next++]; target !== undefined; target = targets[next++]) {
    const answered = await sample(target);
    lines += answered;
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
process.stdout.write(`tick 0 ${lines}\n`);

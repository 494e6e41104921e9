/** The messages of a real session, as they are after decryption: of one command with both outputs and an exit status. */
import ssh2 from "ssh2";
import { makeEmbeddedKey, startEmbeddedServer } from "../../src/ssh/ssh2/embedded-server.js";
import { filterMessages } from "../../src/ssh/ssh2/internals.js";
import { globalRequest, message, windowAdjust } from "../fault/matrix/ssh-messages.js";

export interface Recorded {
  /** From the open channel to its close, in order. */
  readonly session: readonly Buffer[];
  /** What may come at any time. */
  readonly others: readonly Buffer[];
}

const USERAUTH_SUCCESS = 52;
const KEXINIT = 20;

export async function recordMessages(): Promise<Recorded> {
  const [host, user] = [await makeEmbeddedKey(), await makeEmbeddedKey()];
  const server = await startEmbeddedServer({ hostKey: host.private, authorizedKey: user.public, env: {} });
  const messages: Buffer[] = [];
  const pass = (received: Uint8Array): Uint8Array => {
    messages.push(Buffer.from(received));
    return received;
  };
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.on("error", reject);
    client.on("handshake", () => filterMessages(client, pass));
    client.on("ready", () =>
      client.exec("printf 'out %s\\n' 1 2 3; printf err >&2; exit 3", (error, stream) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        stream.resume().on("close", resolve);
        stream.stderr.resume();
      }),
    );
    client.connect({ host: "127.0.0.1", port: server.port, username: "watcher", privateKey: user.private });
    filterMessages(client, pass);
  });
  client.end();
  await server.close();
  const login = messages.findIndex(([type]) => type === USERAUTH_SUCCESS);
  const exchange = messages.filter(([type = 0]) => type >= KEXINIT && type < 50);
  return {
    session: messages.slice(login + 1),
    others: [
      ...exchange,
      globalRequest("keepalive@openssh.com"),
      globalRequest("hostkeys-00@openssh.com"),
      message(1, 11, "bye", ""),
      message(2, "nothing"),
      message(3, 4),
      message(4, true, "look", ""),
      message(7, 1, "server-sig-algs", "ssh-ed25519"),
      message(31, Buffer.from([0, 0, 0, 1, 5, 0, 0, 0, 1, 2])),
      message(60, "ssh-ed25519", "key"),
      message(81),
      message(90, "session", 0, 100, 100),
      message(92, 0, 2, "no", ""),
      windowAdjust(0, 100),
    ],
  };
}

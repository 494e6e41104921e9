/** An SSH server in this process, on loopback, for the demo fleet. Key authentication only; one key. */
import { spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import type { AuthContext, Connection, ParsedKey, ServerChannel, Session } from "ssh2";

export interface EmbeddedServerOptions {
  /** OpenSSH private key text. */
  readonly hostKey: string;
  /** Public key that may log in, or null: every key is refused. */
  readonly authorizedKey: string | null;
  /** Environment of the shell that runs the clients' commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Changes a client's command before it is run. */
  readonly rewrite?: (command: string) => string;
}

export interface EmbeddedServer {
  readonly port: number;
  /** Drops every connection, as a machine that goes down. */
  drop(): void;
  /** While false, connections are ended before anything is sent. */
  accept(isAccepting: boolean): void;
  close(): Promise<void>;
}

export interface EmbeddedKey {
  readonly private: string;
  /** As in an authorized_keys or known_hosts line: type and base64. */
  readonly public: string;
}

/** A fresh ed25519 key. */
export async function makeEmbeddedKey(): Promise<EmbeddedKey> {
  const { utils } = (await import("ssh2")).default;
  // About one key in a hundred that ssh2 1.17 makes is malformed: its own parser refuses it.
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    const isValid = [pair.private, pair.public].every((text) => !(utils.parseKey(text) instanceof Error));
    if (isValid) return { private: pair.private, public: pair.public };
  }
}

/** Listens on a free port of 127.0.0.1. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const { Server, utils } = (await import("ssh2")).default;
  const authorized = options.authorizedKey === null ? null : utils.parseKey(options.authorizedKey);
  if (authorized instanceof Error) throw authorized;
  const open = new Set<Connection>();
  let isAccepting = true;
  const server = new Server({ hostKeys: [options.hostKey] }, (client) => {
    client.on("error", () => undefined);
    if (!isAccepting) {
      client.end();
      return;
    }
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("authentication", (context) => {
      if (authorized !== null && proves(context, authorized)) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("ready", () => {
      client.on("session", (acceptSession) => serveSession(acceptSession(), options));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    drop: () => open.forEach((client) => client.end()),
    accept: (accepting) => (isAccepting = accepting),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        open.forEach((client) => client.end());
      }),
  };
}

/** True for the offer of the authorized key, and for a signature that it made. */
function proves(context: AuthContext, authorized: ParsedKey): boolean {
  if (context.method !== "publickey" || !context.key.data.equals(authorized.getPublicSSH())) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  // Despite its type it returns an Error for a signature of the wrong kind.
  const verdict: unknown = authorized.verify(context.blob, context.signature, context.hashAlgo);
  return verdict === true;
}

function serveSession(session: Session, { env, rewrite }: EmbeddedServerOptions): void {
  session.on("exec", (acceptExec, _reject, { command }) => {
    const channel: ServerChannel = acceptExec();
    const child = spawn("/bin/sh", ["-c", rewrite?.(command) ?? command], { env: { ...env } });
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.stdin.on("error", () => undefined);
    child.on("error", () => channel.close());
    child.on("close", (code) => {
      channel.exit(code ?? 255);
      channel.close();
    });
    channel.on("close", () => child.stdin.end());
    channel.on("error", () => undefined);
  });
}

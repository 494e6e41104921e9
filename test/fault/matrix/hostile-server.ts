/**
 * A server that attacks after the key exchange: ssh2's own server, driven below its public API. Until its attack begins it
 * serves as any other, with a shell for each command.
 */
import { spawn } from "node:child_process";
import type { AddressInfo, Socket } from "node:net";
import type { Writable } from "node:stream";
import ssh2, { type AuthContext, type Connection, type ServerChannel, type ServerConfig } from "ssh2";

export interface Attack {
  readonly algorithms?: ServerConfig["algorithms"];
  /** At the first offer of a key, in place of an answer. */
  readonly onAuth?: (attacker: Attacker, context: AuthContext) => void;
  /** Once the user is in. */
  readonly onReady?: (attacker: Attacker) => void;
  /** With the channel of each command, in place of the command. */
  readonly onExec?: (channel: ServerChannel, attacker: Attacker) => void;
  /** While the host is read. */
  readonly onSession?: (attacker: Attacker) => void;
}

export interface HostileServer {
  readonly port: number;
  /** Begins the attack of `onSession` on the connection that is there. */
  attack(): void;
  stop(): Promise<void>;
}

interface RawProtocol {
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(length: number, isAtOnce: boolean): Uint8Array;
      finalize(packet: Uint8Array, isAtOnce: boolean): Uint8Array;
    };
  };
  readonly _cipher: { encrypt(packet: Uint8Array): void };
  /** Undefined once its ciphers are freed: a packet more would end this process. */
  readonly _destruct: unknown;
  rekey(): void;
  channelOpenConfirm(remote: number, local: number, window: number, packetSize: number): void;
}

/** More unread bytes than this, and a flood waits. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
const AT_ONCE = 500;

/** One connection of the client that is attacked. */
export class Attacker {
  readonly protocol: RawProtocol;
  readonly socket: Socket;
  channel: ServerChannel | null = null;
  isGone = false;

  constructor(readonly client: Connection) {
    this.protocol = Reflect.get(client, "_protocol") as RawProtocol;
    this.socket = Reflect.get(client, "_sock") as Socket;
  }

  /** The client's number of the channel that its command runs in. */
  get channelNumber(): number {
    return (Reflect.get(this.channel ?? {}, "outgoing") as { readonly id: number } | undefined)?.id ?? 0;
  }

  /** A packet with this payload, also while keys are exchanged. */
  send(payload: Buffer): void {
    if (this.isGone || this.protocol._destruct === undefined) return;
    const { write } = this.protocol._packetRW;
    try {
      const { allocStart } = write;
      const packet = write.alloc(payload.length, true);
      packet.set(payload, allocStart);
      this.protocol._cipher.encrypt(write.finalize(packet, true));
    } catch {
      // The connection has ended.
    }
  }

  /** The same payload again and again, as fast as it is read, until the client is gone. */
  flood(payload: Buffer, times = Number.POSITIVE_INFINITY): void {
    this.repeat(() => this.send(payload), times);
  }

  repeat(act: () => void, times = Number.POSITIVE_INFINITY): void {
    let left = times;
    const some = (): void => {
      if (this.isGone || left <= 0) return;
      if (this.socket.writableLength > MAX_UNREAD_BYTES) {
        setTimeout(some, 20);
        return;
      }
      // One write of the socket for all of them.
      this.socket.cork();
      for (let i = 0; i < AT_ONCE && left > 0; i++, left--) act();
      this.socket.uncork();
      setImmediate(some);
    };
    some();
  }

  /** The same payload every `ms`. */
  drip(payload: Buffer, ms: number): void {
    const timer = setInterval(() => {
      if (this.isGone) clearInterval(timer);
      else this.send(payload);
    }, ms);
  }
}

export interface Serving {
  /** Private key of the host. */
  readonly hostKey: Buffer;
  /** PATH of the commands. */
  readonly path: string;
}

export async function startHostileServer(attack: Attack, { hostKey, path }: Serving): Promise<HostileServer> {
  const attackers = new Set<Attacker>();
  const config: ServerConfig = { hostKeys: [hostKey] };
  if (attack.algorithms !== undefined) config.algorithms = attack.algorithms;
  const server = new ssh2.Server(config, (client) => {
    const attacker = new Attacker(client);
    attackers.add(attacker);
    client.on("error", () => undefined);
    attacker.socket.on("close", () => {
      attacker.isGone = true;
      attackers.delete(attacker);
    });
    let isFirst = true;
    client.on("authentication", (context) => {
      if (context.method !== "publickey") context.reject(["publickey"]);
      else if (attack.onAuth === undefined) context.accept();
      else if (isFirst) {
        isFirst = false;
        attack.onAuth(attacker, context);
      }
    });
    client.on("ready", () => {
      client.on("session", (accept) => {
        accept().on("exec", (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          channel.on("error", () => undefined);
          attacker.channel = channel;
          if (attack.onExec === undefined) runCommand(channel, command, path);
          else attack.onExec(channel, attacker);
        });
      });
      attack.onReady?.(attacker);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    attack: () => {
      for (const attacker of attackers) attack.onSession?.(attacker);
    },
    stop: () =>
      new Promise((resolve) => {
        for (const { socket } of attackers) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** ssh2 throws where a connection with compression has just ended. */
function writeIfOpen(stream: Writable, chunk: Buffer): void {
  try {
    if (stream.writable) stream.write(chunk);
  } catch {
    // Its command ends with the channel.
  }
}

function runCommand(channel: ServerChannel, command: string, path: string): void {
  const child = spawn("/bin/sh", ["-c", command], { env: { PATH: path } });
  channel.pipe(child.stdin);
  child.stdout.on("data", (chunk: Buffer) => writeIfOpen(channel, chunk));
  child.stderr.on("data", (chunk: Buffer) => writeIfOpen(channel.stderr, chunk));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);
  child.on("error", () => channel.close());
  child.on("close", (code) => {
    try {
      channel.exit(code ?? 255);
      channel.close();
    } catch {
      // The connection has ended.
    }
  });
  channel.on("close", () => {
    child.stdin.end();
    child.kill();
  });
}

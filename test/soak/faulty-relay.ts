/** A TCP relay in front of one host of the soak, whose connections can be cut, held, refused and spoiled. */
import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

export class FaultyRelay {
  readonly #pairs = new Set<Pair>();
  #server: Server | null = null;
  #isHeld = false;
  #refuses = false;
  /** Where the host's sshd listens now. */
  readonly #upstreamPort: () => number;

  constructor(
    readonly address: string,
    upstreamPort: () => number,
  ) {
    this.#upstreamPort = upstreamPort;
  }

  /** Listens at its address, on `port`, or on a free one where that is 0. Resolves with the port. */
  listen(port: number): Promise<number> {
    const server = createServer({ noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.address, () => {
        const bound = server.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
  }

  /** Resets every connection on both sides. */
  reset(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  /** Ends every connection as a server that shuts down does. */
  end(): void {
    for (const { client } of this.#pairs) client.end();
  }

  /** Bytes stay in the relay until `release`: a black hole that no side notices. */
  hold(): void {
    this.#isHeld = true;
    for (const pair of this.#pairs) pauseBoth(pair);
  }

  release(): void {
    this.#isHeld = false;
    for (const { client, upstream } of this.#pairs) {
      client.resume();
      upstream.resume();
    }
  }

  /** New connections are reset at once, those that stand go on. */
  refuse(refuses: boolean): void {
    this.#refuses = refuses;
  }

  /** Bytes that no server sent, in between those that one sent. */
  spoil(): void {
    for (const { client } of this.#pairs) if (client.writable) client.write(randomBytes(512));
  }

  async stop(): Promise<void> {
    this.reset();
    const server = this.#server;
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#refuses) {
      client.on("error", () => undefined);
      client.resetAndDestroy();
      return;
    }
    // The server sees the host's own address as its client: tools of the host are told apart by it.
    const upstream = connect({
      host: "127.0.0.1",
      port: this.#upstreamPort(),
      localAddress: this.address,
      noDelay: true,
    });
    const pair = { client, upstream };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      from.pipe(to);
    }
    if (this.#isHeld) pauseBoth(pair);
  }
}

function pauseBoth({ client, upstream }: Pair): void {
  client.pause();
  upstream.pause();
}

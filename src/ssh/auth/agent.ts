/**
 * A client of ssh-agent (draft-miller-ssh-agent). Keys are listed over one connection that all hosts share, with its own
 * timeout. Each signature has a connection of its own, since the agent may wait for its user to confirm it.
 */
import { connect, type Socket } from "node:net";
import { isLocalLimit } from "../../contract/local-limit.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import { Limiter } from "../../lib/limiter.js";
import { WireReader, uint32, wireString } from "../keys/wire.js";

export interface AgentKey {
  readonly blob: Buffer;
  readonly comment: string;
}

/** The agent cannot be reached, does not answer or refuses. The message is for the record; the cause is the system's error. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

/** A working agent lists its keys at once, even if it asks its user before it signs. */
const ANSWER_TIMEOUT_MS = 1_000;
/** Signatures at once. More wait here, since an agent refuses connections when too many wait. */
const MAX_SIGNING = 32;
/** How long a dead or hung agent is not asked again, so that a fleet waits for its timeout once and not once a host. */
const COOLDOWN_MS = 30_000;
/** How long a list of keys is used: hosts that start together ask once. */
const LIST_FRESH_MS = 2_000;
const MAX_ANSWER_BYTES = 1 << 20;

interface Pending {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: AgentError) => void;
}

export class Agent {
  #socket: Socket | null = null;
  #received: Buffer = Buffer.alloc(0);
  #timeout: Timer | null = null;
  readonly #pending: Pending[] = [];
  #cooldown: { readonly untilMs: number; readonly error: AgentError } | null = null;
  #list: { readonly atMs: number; readonly keys: Promise<readonly AgentKey[]> } | null = null;
  /** The last list received, for the time when the agent waits for its user and answers nobody. */
  #lastKeys: readonly AgentKey[] | null = null;
  readonly #signing = new Set<Agent>();
  readonly #signers = new Limiter(MAX_SIGNING);

  constructor(
    readonly path: string,
    private readonly clock: Clock,
    private readonly answerMs = ANSWER_TIMEOUT_MS,
  ) {}

  /** The agent's keys in its order. Rejects with AgentError. */
  keys(): Promise<readonly AgentKey[]> {
    const nowMs = this.clock.nowMs();
    if (this.#list !== null && nowMs - this.#list.atMs < LIST_FRESH_MS) return this.#list.keys;
    if (this.#signing.size > 0 && this.#lastKeys !== null) return Promise.resolve(this.#lastKeys);
    const keys = this.#ask(Buffer.from([REQUEST_IDENTITIES])).then((answer) => {
      return (this.#lastKeys = readKeys(answer));
    });
    this.#list = { atMs: nowMs, keys };
    return keys;
  }

  /** The SSH signature blob, made by the agent within `withinMs`. Rejects with AgentError. */
  async sign(blob: Buffer, algorithm: string, data: Buffer, withinMs = ANSWER_TIMEOUT_MS): Promise<Buffer> {
    const flags = algorithm.startsWith("rsa-sha2-256")
      ? RSA_SHA2_256
      : algorithm.startsWith("rsa-sha2-512")
        ? RSA_SHA2_512
        : 0;
    const request = [Buffer.from([SIGN_REQUEST]), wireString(blob), wireString(data), uint32(flags)];
    const answer = await this.#askSeparately(Buffer.concat(request), withinMs);
    if (answer[0] !== SIGN_RESPONSE) throw new AgentError("the agent refused to sign");
    try {
      return new WireReader(answer.subarray(1)).string();
    } catch {
      throw new AgentError("the agent's answer cannot be read");
    }
  }

  close(): void {
    for (const separate of this.#signing) separate.close();
    this.#fail(new AgentError("closed"), false);
  }

  async #askSeparately(message: Buffer, withinMs: number): Promise<Buffer> {
    const untilMs = this.clock.nowMs() + withinMs;
    const release = await this.#signers.acquire(new AbortController().signal);
    const leftMs = untilMs - this.clock.nowMs();
    const separate = new Agent(this.path, this.clock, leftMs);
    this.#signing.add(separate);
    try {
      // The login that needed it has ended: the agent's user must not be asked to confirm it.
      if (leftMs <= 0) throw new AgentError(`no answer within ${withinMs} ms`);
      return await separate.#ask(message);
    } finally {
      this.#signing.delete(separate);
      separate.close();
      release();
    }
  }

  #ask(message: Buffer): Promise<Buffer> {
    const cooldown = this.#cooldown;
    if (cooldown !== null && this.clock.nowMs() < cooldown.untilMs) return Promise.reject(cooldown.error);
    this.#cooldown = null;
    return new Promise((resolve, reject) => {
      try {
        this.#socket ??= this.#dial();
      } catch (error) {
        // Node.js refuses some paths at once: for us that is an agent that cannot be reached.
        reject(new AgentError(`cannot be reached (${messageOf(error)})`, { cause: error }));
        return;
      }
      this.#pending.push({ resolve, reject });
      this.#socket.ref();
      this.#socket.write(wireString(message));
      this.#timeout ??= this.#startTimeout();
    });
  }

  #dial(): Socket {
    // As an object: Node.js reads a bare "22" as a TCP port, and ssh as a socket of that name.
    const socket = connect({ path: this.path });
    this.#received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => this.#receive(socket, chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#socket === socket)
        // Where only this process lacks a descriptor, the agent may be reachable a moment later.
        this.#fail(
          new AgentError(`cannot be reached (${error.code ?? error.message})`, { cause: error }),
          !isLocalLimit(error),
        );
    });
    socket.on("close", () => {
      if (this.#socket === socket) this.#fail(new AgentError("closed the connection"), false);
    });
    return socket;
  }

  /** Answers come in the order of the requests. The timeout of each starts when it becomes the next one. */
  #startTimeout(): Timer {
    return deadlineAfter(this.clock, this.answerMs, () =>
      this.#fail(new AgentError(`no answer within ${this.answerMs} ms`), true),
    );
  }

  #receive(socket: Socket, chunk: Buffer): void {
    if (this.#socket !== socket) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE();
      if (length > MAX_ANSWER_BYTES) {
        this.#fail(new AgentError("does not speak the agent protocol"), true);
        return;
      }
      if (this.#received.length < 4 + length) return;
      const answer = Buffer.from(this.#received.subarray(4, 4 + length));
      this.#received = this.#received.subarray(4 + length);
      this.#timeout?.cancel();
      const pending = this.#pending.shift();
      this.#timeout = this.#pending.length > 0 ? this.#startTimeout() : null;
      // An idle agent must not keep the process alive.
      if (this.#pending.length === 0) socket.unref();
      pending?.resolve(answer);
    }
  }

  #fail(error: AgentError, withCooldown: boolean): void {
    this.#timeout?.cancel();
    this.#timeout = null;
    this.#list = null;
    if (withCooldown) this.#cooldown = { untilMs: this.clock.nowMs() + COOLDOWN_MS, error };
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    for (const pending of this.#pending.splice(0)) pending.reject(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readKeys(answer: Buffer): AgentKey[] {
  if (answer[0] !== IDENTITIES_ANSWER) throw new AgentError("refused to list its keys");
  try {
    const reader = new WireReader(answer.subarray(1));
    const count = reader.uint32();
    const keys: AgentKey[] = [];
    for (let i = 0; i < count; i++) {
      keys.push({ blob: Buffer.from(reader.string()), comment: reader.string().toString("utf8") });
    }
    return keys;
  } catch {
    throw new AgentError("does not speak the agent protocol");
  }
}

/** One client for each socket path. */
export class AgentPool {
  readonly #agents = new Map<string, Agent>();

  constructor(private readonly clock: Clock) {}

  at(path: string): Agent {
    const known = this.#agents.get(path);
    if (known !== undefined) return known;
    const agent = new Agent(path, this.clock);
    this.#agents.set(path, agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.close();
  }
}

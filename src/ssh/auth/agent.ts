/**
 * A client of ssh-agent (draft-miller-ssh-agent). Keys are listed over one connection that all hosts share, with a
 * deadline of its own; each signature has its own connection, for it may wait for a hand.
 */
import { connect, type Socket } from "node:net";
import { isLocalLimit } from "../../contract/local-limit.js";
import type { Clock, Timer } from "../../lib/clock.js";
import { Limiter } from "../../lib/limiter.js";
import { WireReader, uint32, wireString } from "../keys/wire.js";

export interface AgentKey {
  readonly blob: Buffer;
  readonly comment: string;
}

/** The agent is not there, does not answer or says no. The message is for the record; the cause is the system's error. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

/** Of an agent that is there: it lists its keys at once, whatever it asks of its user before it signs. */
const ANSWER_MS = 1_000;
/** Signatures at once. More wait here and not at the agent's door, which is shut when too many do. */
const MAX_SIGNING = 32;
/** How long a dead or hung agent is left alone, so that it costs a fleet its deadline once and not once a host. */
const SHUNNED_MS = 30_000;
/** How long a list of keys is good for: hosts that start together ask once. */
const LIST_FRESH_MS = 2_000;
const MAX_ANSWER = 1 << 20;

interface Pending {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: AgentError) => void;
}

export class Agent {
  #socket: Socket | null = null;
  #received: Buffer = Buffer.alloc(0);
  #deadline: Timer | null = null;
  readonly #pending: Pending[] = [];
  #shunned: { readonly untilMs: number; readonly error: AgentError } | null = null;
  #list: { readonly atMs: number; readonly keys: Promise<readonly AgentKey[]> } | null = null;
  /** The last list that came, for while the agent waits for its user's hand and answers nobody. */
  #lastKeys: readonly AgentKey[] | null = null;
  readonly #signing = new Set<Agent>();
  readonly #places = new Limiter(MAX_SIGNING);

  constructor(
    readonly path: string,
    private readonly clock: Clock,
    private readonly answerMs = ANSWER_MS,
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

  /** The SSH signature blob, as the agent made it within `withinMs`. Rejects with AgentError. */
  async sign(blob: Buffer, algorithm: string, data: Buffer, withinMs = ANSWER_MS): Promise<Buffer> {
    const flags = algorithm.startsWith("rsa-sha2-256")
      ? RSA_SHA2_256
      : algorithm.startsWith("rsa-sha2-512")
        ? RSA_SHA2_512
        : 0;
    const request = [Buffer.from([SIGN_REQUEST]), wireString(blob), wireString(data), uint32(flags)];
    const answer = await this.#askAlone(Buffer.concat(request), withinMs);
    if (answer[0] !== SIGN_RESPONSE) throw new AgentError("the agent refused to sign");
    try {
      return new WireReader(answer.subarray(1)).string();
    } catch {
      throw new AgentError("the agent's answer cannot be read");
    }
  }

  close(): void {
    for (const alone of this.#signing) alone.close();
    this.#fail(new AgentError("closed"), false);
  }

  async #askAlone(message: Buffer, withinMs: number): Promise<Buffer> {
    const untilMs = this.clock.nowMs() + withinMs;
    const release = await this.#places.acquire(new AbortController().signal);
    const leftMs = untilMs - this.clock.nowMs();
    const alone = new Agent(this.path, this.clock, leftMs);
    this.#signing.add(alone);
    try {
      // The login that wanted it is over: the agent's user must not be asked for it.
      if (leftMs <= 0) throw new AgentError(`no answer within ${withinMs} ms`);
      return await alone.#ask(message);
    } finally {
      this.#signing.delete(alone);
      alone.close();
      release();
    }
  }

  #ask(message: Buffer): Promise<Buffer> {
    const shunned = this.#shunned;
    if (shunned !== null && this.clock.nowMs() < shunned.untilMs) return Promise.reject(shunned.error);
    this.#shunned = null;
    return new Promise((resolve, reject) => {
      try {
        this.#socket ??= this.#dial();
      } catch (error) {
        // Node refuses some paths at once: that is one agent's failure, as when nobody listens there.
        reject(new AgentError(`cannot be reached (${messageOf(error)})`, { cause: error }));
        return;
      }
      this.#pending.push({ resolve, reject });
      this.#socket.ref();
      this.#socket.write(wireString(message));
      this.#deadline ??= this.#startDeadline();
    });
  }

  #dial(): Socket {
    // As an object: Node takes a bare "22" for a TCP port, and ssh for a socket of that name.
    const socket = connect({ path: this.path });
    this.#received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => this.#receive(socket, chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#socket === socket)
        // What this process lacks a descriptor for may well be there a moment later.
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

  /** Answers come in the order of the requests; each has its own time from when it is the next one. */
  #startDeadline(): Timer {
    return this.clock.after(this.answerMs, () =>
      this.#fail(new AgentError(`no answer within ${this.answerMs} ms`), true),
    );
  }

  #receive(socket: Socket, chunk: Buffer): void {
    if (this.#socket !== socket) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const length = this.#received.readUInt32BE();
      if (length > MAX_ANSWER) {
        this.#fail(new AgentError("does not speak the agent protocol"), true);
        return;
      }
      if (this.#received.length < 4 + length) return;
      const answer = Buffer.from(this.#received.subarray(4, 4 + length));
      this.#received = this.#received.subarray(4 + length);
      this.#deadline?.cancel();
      const pending = this.#pending.shift();
      this.#deadline = this.#pending.length > 0 ? this.#startDeadline() : null;
      // An idle agent must not keep the process alive.
      if (this.#pending.length === 0) socket.unref();
      pending?.resolve(answer);
    }
  }

  #fail(error: AgentError, shun: boolean): void {
    this.#deadline?.cancel();
    this.#deadline = null;
    this.#list = null;
    if (shun) this.#shunned = { untilMs: this.clock.nowMs() + SHUNNED_MS, error };
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

/** One client a socket path. */
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

/** The client's side of user authentication by public key (RFC 4252), with as few round trips as it takes. */
import { wireString } from "../wire-writer.js";
import type { Candidate } from "./identity.js";
import { chooseAlgorithm } from "./signature-algorithm.js";

/** What the transport offers to authentication. */
export interface UserauthWire {
  sessionId(): Buffer;
  /** Sends SSH_MSG_USERAUTH_REQUEST; `method` is what the answer will be for. */
  send(method: "publickey" | "none", payload: Buffer): void;
  /** From EXT_INFO; null when the server sent none. */
  serverAlgorithms(): readonly string[] | null;
}

export interface UserauthRequest {
  readonly user: string;
  readonly keys: readonly Candidate[];
  /** PubkeyAcceptedAlgorithms. */
  readonly algorithms: readonly string[];
  readonly requiredRsaSize: number;
}

export interface Refusal {
  /** One entry a key, `source fingerprint result`. */
  readonly tried: readonly string[];
  readonly offered: number;
  /** The methods that the server would still take. */
  readonly methods: readonly string[];
}

const USERAUTH_REQUEST = 50;

/** A state machine that the transport drives with the server's answers. */
export class Userauth {
  readonly #tried: string[] = [];
  #queue: Candidate[];
  #offered = 0;
  #current: { readonly key: Candidate; readonly offered: string; readonly signature: string } | null = null;
  #methods: readonly string[] = [];
  #triedNone = false;

  constructor(
    private readonly wire: UserauthWire,
    private readonly request: UserauthRequest,
    private readonly refused: (refusal: Refusal) => void,
  ) {
    this.#queue = [...request.keys];
  }

  /** What was offered so far, the key under way included. */
  get tried(): readonly string[] {
    return this.#current === null ? this.#tried : [...this.#tried, describe(this.#current.key, "no answer")];
  }

  /** The key that was accepted, once the server said so. */
  get accepted(): Candidate | null {
    return this.#current?.key ?? null;
  }

  /** Sends the first request. */
  start(): void {
    this.#next();
  }

  /** SSH_MSG_USERAUTH_PK_OK: the server would take the key. */
  keyAccepted(): void {
    if (this.#current !== null)
      this.#prove(this.#current.key, this.#current.offered, this.#current.signature);
  }

  /** SSH_MSG_USERAUTH_FAILURE. */
  failure(methods: readonly string[], partialSuccess: boolean): void {
    this.#methods = methods;
    if (this.#current !== null) {
      this.#tried.push(
        describe(this.#current.key, partialSuccess ? "accepted, more is asked for" : "refused"),
      );
      this.#current = null;
    }
    if (methods.includes("publickey")) this.#next();
    else this.#giveUp();
  }

  #next(): void {
    for (let key = this.#queue.shift(); key !== undefined; key = this.#queue.shift()) {
      if (key.rsaBits !== null && key.rsaBits < this.request.requiredRsaSize) {
        this.#tried.push(
          describe(key, `skipped: shorter than RequiredRSASize ${this.request.requiredRsaSize}`),
        );
        continue;
      }
      const choice = chooseAlgorithm(key, this.request.algorithms, this.wire.serverAlgorithms());
      if (choice === null) {
        this.#tried.push(describe(key, "skipped: no signature algorithm that both sides take"));
        continue;
      }
      this.#offered += 1;
      this.#current = { key, ...choice };
      if (key.inMemory) this.#prove(key, choice.offered, choice.signature);
      else this.wire.send("publickey", this.#payload(key, choice.offered, false));
      return;
    }
    this.#giveUp();
  }

  /** ssh asks `none` first; we ask it last, for the servers that let in everybody who reaches them. */
  #giveUp(): void {
    if (!this.#triedNone) {
      this.#triedNone = true;
      this.wire.send("none", this.#head("none"));
      return;
    }
    this.refused({ tried: this.#tried, offered: this.#offered, methods: this.#methods });
  }

  #prove(key: Candidate, offered: string, algorithm: string): void {
    const signed = this.#payload(key, offered, true);
    const send = (signature: Buffer): void => {
      if (this.#current?.key === key)
        this.wire.send("publickey", Buffer.concat([signed, wireString(signature)]));
    };
    const skip = (error: unknown): void => {
      if (this.#current?.key !== key) return;
      this.#current = null;
      this.#offered -= 1;
      this.#tried.push(describe(key, `skipped: ${error instanceof Error ? error.message : "cannot sign"}`));
      this.#next();
    };
    try {
      const signature = key.sign(algorithm, Buffer.concat([wireString(this.wire.sessionId()), signed]));
      if (signature instanceof Promise) signature.then(send, skip);
      else send(signature);
    } catch (error) {
      skip(error);
    }
  }

  #payload(key: Candidate, algorithm: string, proving: boolean): Buffer {
    const flag = Buffer.from([proving ? 1 : 0]);
    return Buffer.concat([this.#head("publickey"), flag, wireString(algorithm), wireString(key.blob)]);
  }

  #head(method: string): Buffer {
    const fields = [this.request.user, "ssh-connection", method].map((field) => wireString(field));
    return Buffer.concat([Buffer.from([USERAUTH_REQUEST]), ...fields]);
  }
}

function describe(key: Candidate, result: string): string {
  return `${key.source} ${key.certified ? "certificate " : ""}${key.fingerprint} ${result}`;
}

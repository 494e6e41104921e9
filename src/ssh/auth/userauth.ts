/** The client's side of user authentication (RFC 4252), in ssh's order: `none`, then the keys one after another. */
import { wireString } from "../keys/wire.js";
import type { IdentityCandidate } from "./identity.js";
import { chooseAlgorithm } from "./signature-algorithm.js";

/** What the transport offers to authentication. */
export interface UserauthWire {
  sessionId(): Buffer;
  /** Sends SSH_MSG_USERAUTH_REQUEST; `method` is the one that the next answer is for. */
  send(method: "publickey" | "none", payload: Buffer): void;
  /** From EXT_INFO; null when the server sent none. */
  serverAlgorithms(): readonly string[] | null;
}

export interface UserauthRequest {
  readonly user: string;
  readonly keys: readonly IdentityCandidate[];
  /** PubkeyAcceptedAlgorithms. */
  readonly algorithms: readonly string[];
  readonly requiredRsaSize: number;
}

export interface Refusal {
  /** One entry a key, `source fingerprint result`. */
  readonly tried: readonly string[];
  readonly offered: number;
  /** The methods that the server still accepts. */
  readonly methods: readonly string[];
}

/** How far authentication got, for the message of a connection that ended during it. */
export interface AuthProgress {
  /** One entry a key, the current one included. */
  readonly tried: readonly string[];
  readonly refused: number;
  /** `accepted`: the server accepts the key (PK_OK) and has the signature; `sent`: it has a signature and has not answered. */
  readonly proof: "none" | "sent" | "accepted";
  /** The server has answered `none`: its messages from here on are about the keys. */
  readonly isNoneAnswered: boolean;
}

const USERAUTH_REQUEST = 50;

/**
 * A state machine that the transport drives with the server's answers. It asks `none` first because ssh does: a server
 * that accepts it may count refused keys and hang up (Tailscale SSH, appliances), and one that does not list `publickey`
 * in its answer is offered no key.
 */
export class Userauth {
  readonly #tried: string[] = [];
  #queue: IdentityCandidate[];
  #offered = 0;
  #current: { readonly key: IdentityCandidate; readonly offered: string; readonly signature: string } | null =
    null;
  #methods: readonly string[] = [];
  #isNoneAnswered = false;
  #refused = 0;
  #proof: AuthProgress["proof"] = "none";
  #isSigning = false;
  #isDone = false;

  constructor(
    private readonly wire: UserauthWire,
    private readonly request: UserauthRequest,
    private readonly refused: (refusal: Refusal) => void,
  ) {
    this.#queue = [...request.keys];
  }

  get progress(): AuthProgress {
    const current = this.#current;
    const tried = current === null ? this.#tried : [...this.#tried, describe(current.key, this.#status())];
    return { tried, refused: this.#refused, proof: this.#proof, isNoneAnswered: this.#isNoneAnswered };
  }

  /** The key whose answer is awaited; null: none. */
  get current(): IdentityCandidate | null {
    return this.#current?.key ?? null;
  }

  /** The key that was accepted, once the server has reported success; null where `none` was enough. */
  get accepted(): IdentityCandidate | null {
    return this.#isNoneAnswered ? (this.#current?.key ?? null) : null;
  }

  /**
   * Sends the first request. `isSshd`: the server is certainly OpenSSH's. It answers requests in their order and ignores
   * those that come after a successful login, so the first key is sent with `none`: the same messages as ssh's, with one
   * round trip less. Other servers may treat the extra request as an error, and get the key when they have answered.
   */
  start(isSshd: boolean): void {
    this.wire.send("none", this.#head("none"));
    if (isSshd) this.#next();
  }

  /** SSH_MSG_USERAUTH_PK_OK: the server accepts the key. Another one for the same key would cost another signature. */
  keyAccepted(): void {
    if (this.#current === null || this.#isDone || this.#isSigning || this.#proof !== "none") return;
    this.#proof = "accepted";
    this.#prove(this.#current.key, this.#current.offered, this.#current.signature);
  }

  /** SSH_MSG_USERAUTH_FAILURE; the first one is for `none`. */
  failure(methods: readonly string[], partialSuccess: boolean): void {
    if (this.#isDone) return;
    this.#methods = methods;
    const wasNone = !this.#isNoneAnswered;
    this.#isNoneAnswered = true;
    const takesKeys = methods.includes("publickey");
    // A key that was sent with `none` gets an answer of its own.
    if (wasNone && takesKeys && this.#current !== null) return;
    if (!wasNone && this.#current !== null) {
      if (!partialSuccess) this.#refused += 1;
      this.#tried.push(
        describe(this.#current.key, partialSuccess ? "accepted, more is asked for" : "refused"),
      );
    }
    this.#current = null;
    this.#proof = "none";
    if (takesKeys) this.#next();
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

  #giveUp(): void {
    if (!this.#isNoneAnswered || this.#isDone) return;
    this.#isDone = true;
    this.refused({ tried: this.#tried, offered: this.#offered, methods: this.#methods });
  }

  #status(): string {
    if (this.#proof === "accepted") return this.#isSigning ? "accepted, and not signed yet" : "accepted";
    return "no answer";
  }

  #prove(key: IdentityCandidate, offered: string, algorithm: string): void {
    const signed = this.#payload(key, offered, true);
    const send = (signature: Buffer): void => {
      if (this.#current?.key !== key) return;
      this.#isSigning = false;
      if (this.#proof === "none") this.#proof = "sent";
      this.wire.send("publickey", Buffer.concat([signed, wireString(signature)]));
    };
    const skip = (error: unknown): void => {
      if (this.#current?.key !== key) return;
      this.#current = null;
      this.#proof = "none";
      this.#isSigning = false;
      this.#offered -= 1;
      this.#tried.push(describe(key, `skipped: ${error instanceof Error ? error.message : "cannot sign"}`));
      this.#next();
    };
    this.#isSigning = true;
    try {
      const signature = key.sign(algorithm, Buffer.concat([wireString(this.wire.sessionId()), signed]));
      if (signature instanceof Promise) signature.then(send, skip);
      else send(signature);
    } catch (error) {
      skip(error);
    }
  }

  #payload(key: IdentityCandidate, algorithm: string, proving: boolean): Buffer {
    const flag = Buffer.from([proving ? 1 : 0]);
    return Buffer.concat([this.#head("publickey"), flag, wireString(algorithm), wireString(key.blob)]);
  }

  #head(method: string): Buffer {
    const fields = [this.request.user, "ssh-connection", method].map((field) => wireString(field));
    return Buffer.concat([Buffer.from([USERAUTH_REQUEST]), ...fields]);
  }
}

function describe(key: IdentityCandidate, result: string): string {
  return `${key.source} ${key.certified ? "certificate " : ""}${key.fingerprint} ${result}`;
}

/** The handshake of one connection by ssh2: key exchange, host key check and authentication. */
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig, NegotiatedAlgorithms } from "ssh2";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import type { StepLog } from "../../contract/step-log.js";
import { onAbort } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import type { Candidates } from "../auth/identity.js";
import type { ServerReply } from "../auth/login-refusal.js";
import { IDENT_LINE } from "../dial/greeting.js";
import type { Dialled } from "../dial/tcp.js";
import { fingerprint, type HostKey } from "../keys/fingerprint.js";
import type { KnownHosts } from "../known-hosts/known-hosts.js";
import { planHostNames, planLabel, type HostPlan } from "../plan/plan.js";
import type { OfferedAlgorithms } from "./algorithms.js";
import type { FastPaths } from "./fast/fast-paths.js";
import { prepareGroupExchange } from "./group-exchange.js";
import { handshakeFailure } from "./handshake-failure.js";
import { negotiatedText } from "./handshake-steps.js";
import { checkHostKey, hostKeyText, rememberHostKey, sameKeyAtRekey } from "./host-key-check.js";
import { dropFirstWrite, filterMessages, introduceAs, pingServer, protocolOf } from "./internals.js";
import { Login } from "./login.js";
import { ServerLimits } from "./server-limits.js";
import { Ssh2State } from "./server-state.js";
import { handOver, Session } from "./session.js";

export interface HandshakeRequest {
  readonly plan: HostPlan;
  /** Greeted: our line is sent, the server's is next in the stream. */
  readonly dialled: Dialled;
  readonly knownHosts: KnownHosts;
  readonly candidates: Promise<Candidates>;
  readonly clock: Clock;
  /** Called once the user is in, with the fingerprint of the accepted key; null when none was needed. */
  readonly accepted: (fingerprint: string | null) => void;
  readonly warn: (message: string) => void;
  /** Absent: everything by ssh2's own code, one request after another. */
  readonly fast?: FastPaths | undefined;
  readonly step?: StepLog | undefined;
}

/** Nothing of it is kept once the user is in: a fleet has thousands of sessions, which stay for days. */
export class Handshake {
  #phase: "handshake" | "auth" = "handshake";
  #login: Login | null = null;
  #remember: HostKey | null = null;
  #settled = false;
  /** Of the server's key. */
  #hostKey = "";
  readonly #limits: ServerLimits;
  /** After ssh2's own listener; the session has one of its own. */
  readonly #received = (chunk: Buffer): void => this.#limits.received(chunk.length);
  #resolve: (session: Session) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    private readonly request: HandshakeRequest,
    private readonly client: Client,
    private readonly algorithms: OfferedAlgorithms,
  ) {
    this.#limits = new ServerLimits(request.clock, planLabel(request.plan), (error) => this.#fail(error));
  }

  get #stream(): Duplex {
    return this.request.dialled.stream;
  }

  run(signal: AbortSignal): Promise<Session> {
    const { plan, clock } = this.request;
    const deadline = deadlineAfter(clock, plan.handshakeTimeoutMs, () => {
      const what = this.#phase === "auth" ? "authentication" : "key exchange";
      const message = `${planLabel(plan)}: no end of the ${what} within ${plan.handshakeTimeoutMs / 1000} s`;
      const tried = this.#login?.progress?.tried ?? [];
      this.#fail(new HostError("handshake-timeout", this.#phase, message, { tried }));
    });
    const running = new Promise<Session>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      try {
        this.#start();
      } catch (error) {
        this.#fail(error);
      }
    });
    const stopListening = onAbort(signal, (reason) => this.#fail(reason));
    return running.finally(() => {
      deadline.cancel();
      stopListening();
    });
  }

  #start(): void {
    const { client } = this;
    const { fast, step, plan } = this.request;
    // Listeners that stay: ssh2 often reports a second error after the first.
    client.on("error", (error) => this.#ended(error));
    client.on("end", () => this.#ended(null)).on("close", () => this.#ended(null));
    // Guarded: ssh2 would take what these throw for bad bytes of the server.
    const pass = passOf(this.#limits, client);
    // Each key exchange may have brought another reader of packets.
    client.on("handshake", () => this.#guard(() => filterMessages(client, pass)));
    client.once("handshake", (negotiated) => this.#guard(() => this.#keysExchanged(negotiated)));
    client.on("ready", () => this.#guard(() => this.#ready()));
    fast?.connecting(this.#stream);
    dropFirstWrite(this.#stream);
    client.connect(this.#config());
    introduceAs(client, IDENT_LINE);
    filterMessages(client, pass);
    this.#limits.watch(new Ssh2State(client));
    this.#stream.on("data", this.#received);
    this.#login = new Login(client, {
      ...{ plan, fast, step },
      guard: (act) => this.#guard(act),
      accepted: (key) => {
        this.request.accepted(key?.fingerprint ?? null);
        filterMessages(client, pass);
      },
      failed: (error) => this.#fail(error),
    });
    fast?.connected(protocolOf(client));
  }

  #config(): ConnectConfig {
    const { plan } = this.request;
    return {
      sock: this.#stream,
      username: plan.user,
      readyTimeout: 0,
      keepaliveInterval: 0,
      algorithms: this.algorithms as NonNullable<ConnectConfig["algorithms"]>,
      hostVerifier: sameKeyAtRekey((blob) => this.#verify(blob)),
    };
  }

  #verify(blob: Buffer): boolean {
    const { plan, dialled, knownHosts } = this.request;
    const decision = checkHostKey(plan, planHostNames(plan, dialled.address), knownHosts, blob);
    if (decision.kind === "refuse") {
      this.#fail(decision.error);
      return false;
    }
    this.request.step?.("ssh", hostKeyText(decision));
    this.#remember = decision.remember;
    this.#hostKey = fingerprint(decision.key.blob);
    return true;
  }

  /** The server has proven its key; the service request is written right after this. */
  #keysExchanged(negotiated: NegotiatedAlgorithms): void {
    this.#phase = "auth";
    this.request.step?.("ssh", negotiatedText(negotiated));
    const { plan, dialled, knownHosts, warn } = this.request;
    if (this.#remember !== null) {
      const names = planHostNames(plan, dialled.address);
      const adding = rememberHostKey(plan, names, knownHosts, this.#remember, warn);
      adding.catch((error: unknown) => this.#fail(error));
    }
    this.request.candidates.then(
      (candidates) => {
        if (!this.#settled) this.#guard(() => this.#login?.begin(candidates));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #ready(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { plan, clock, fast, step } = this.request;
    const { client } = this;
    const ping = (): void => pingServer(client);
    const limits = this.#limits;
    this.#stream.off("data", this.#received);
    const hostKey = this.#hostKey;
    const session = new Session({ client, stream: this.#stream, plan, clock, ping, limits, hostKey, step });
    limits.loggedIn((error) => session.fail(error));
    handOver(client, session, this.algorithms, passOf(limits, client), fast);
    this.#resolve(session);
  }

  #ended(error: unknown): void {
    const { progress: auth = null, reply = NO_REPLY } = this.#login ?? {};
    const progress = { phase: this.#phase, auth, reply };
    this.#fail(handshakeFailure(this.request.plan, error, progress));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(hostErrorOf(error, this.#phase));
    }
  }

  /** The first cause counts. The stream is destroyed at once: a server that sends garbage would keep a core busy. */
  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.request.step?.("ssh", `handshake failed: ${error instanceof Error ? error.message : "?"}`);
    this.#stream.on("error", () => undefined);
    this.#stream.destroy();
    this.#reject(error);
  }
}

const NO_REPLY: ServerReply = { banner: "", lastWords: "", isSshd: false };

/** Holds nothing of the handshake. */
function passOf(limits: ServerLimits, client: object): (message: Uint8Array) => Uint8Array {
  return (received) => {
    const message = limits.pass(received);
    prepareGroupExchange(client, message);
    return message;
  };
}

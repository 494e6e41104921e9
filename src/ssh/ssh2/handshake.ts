/** The handshake of one connection by ssh2: key exchange, host key check and authentication. */
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig, NegotiatedAlgorithms } from "ssh2";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import type { StepLog } from "../../contract/step-log.js";
import { onAbort } from "../../lib/abort.js";
import type { Clock } from "../../lib/clock.js";
import { deadlineAfter } from "../../lib/deadline.js";
import { appendTail } from "../../lib/text.js";
import type { Candidates } from "../auth/identity.js";
import { loginRefusal, type ServerReply } from "../auth/login-refusal.js";
import { userKeyAlgorithms } from "../auth/signature-algorithm.js";
import { Userauth } from "../auth/userauth.js";
import { IDENT_LINE } from "../dial/greeting.js";
import type { Dialled } from "../dial/tcp.js";
import type { HostKey } from "../keys/fingerprint.js";
import type { KnownHosts } from "../known-hosts/known-hosts.js";
import { planHostNames, planLabel, type HostPlan } from "../plan/plan.js";
import type { OfferedAlgorithms } from "./algorithms.js";
import type { FastPaths } from "./fast/fast-paths.js";
import type { RequestsAhead } from "./fast/round-trips.js";
import { handshakeFailure } from "./handshake-failure.js";
import { AuthSteps, negotiatedText } from "./handshake-steps.js";
import { checkHostKey, hostKeyText, rememberHostKey, sameKeyAtRekey } from "./host-key-check.js";
import {
  dropFirstWrite,
  filterMessages,
  introduceAs,
  pingServer,
  protocolOf,
  takeOverAuthentication,
  type Ssh2Internals,
} from "./internals.js";
import { ServerLimits } from "./server-limits.js";
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
  #userauth: Userauth | null = null;
  #remember: HostKey | null = null;
  #settled = false;
  #serviceAccepted = false;
  #started = false;
  /** The server's banners: all of them, and those since its answer to `none`. */
  #banner = "";
  #bannerAboutKeys = "";
  #wire: Ssh2Internals | null = null;
  readonly #limits: ServerLimits;
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
      const tried = this.#userauth?.progress.tried ?? [];
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
    const { fast, step } = this.request;
    const steps = step === undefined ? null : new AuthSteps(step);
    // Listeners that stay: ssh2 often reports a second error after the first.
    client.on("error", (error) => this.#ended(error));
    client.on("end", () => this.#ended(null)).on("close", () => this.#ended(null));
    // Guarded: ssh2 would take what these throw for bad bytes of the server.
    const pass = passOf(this.#limits);
    // Each key exchange may have brought another reader of packets.
    client.on("handshake", () => this.#guard(() => filterMessages(client, pass)));
    client.once("handshake", (negotiated) => this.#guard(() => this.#keysExchanged(negotiated)));
    client.on("ready", () => this.#guard(() => this.#ready()));
    fast?.connecting(this.#stream);
    dropFirstWrite(this.#stream);
    client.connect(this.#config());
    introduceAs(client, IDENT_LINE);
    filterMessages(client, pass);
    const wire = takeOverAuthentication(client, {
      serviceAccepted: () => {
        this.#serviceAccepted = true;
        if (this.#userauth !== null) this.#guard(() => this.#startOnce());
      },
      keyAccepted: () =>
        this.#guard(() => {
          steps?.keyAccepted(this.#userauth?.current ?? null);
          this.#userauth?.keyAccepted();
        }),
      failure: (methods, partial) =>
        this.#guard(() => {
          steps?.refused(methods, partial);
          this.#userauth?.failure(methods, partial);
        }),
      banner: (text) => this.#guard(() => this.#addBanner(text)),
      success: () =>
        this.#guard(() => {
          const key = this.#userauth?.accepted ?? null;
          steps?.authenticated(this.request.plan.user, key);
          this.request.accepted(key?.fingerprint ?? null);
          filterMessages(client, pass);
        }),
    });
    fast?.connected(protocolOf(client));
    this.#wire = steps === null ? wire : steps.logSends(wire, () => this.#userauth?.current ?? null);
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
      (candidates) => this.#guard(() => this.#authenticate(candidates)),
      (error: unknown) => this.#fail(error),
    );
  }

  #authenticate(candidates: Candidates): void {
    const wire = this.#wire;
    if (wire === null || this.#settled) return;
    const { plan } = this.request;
    const { pubkeyAcceptedAlgorithms, requiredRsaSize, pubkeyAuthentication } = plan.config;
    const keys = pubkeyAuthentication ? candidates.keys : [];
    const algorithms = userKeyAlgorithms(pubkeyAcceptedAlgorithms);
    this.#userauth = new Userauth(wire, { user: plan.user, keys, algorithms, requiredRsaSize }, (refusal) => {
      this.#fail(loginRefusal(plan, refusal, candidates, this.#serverReply()));
    });
    if (this.#serviceAccepted || this.#ahead()?.beforeServiceAccept === true) this.#startOnce();
  }

  #startOnce(): void {
    if (this.#started) return;
    this.#started = true;
    this.#userauth?.start(this.#ahead()?.keyWithNone === true);
  }

  /** What may be sent early; undefined: nothing. */
  #ahead(): RequestsAhead | undefined {
    const wire = this.#wire;
    if (wire === null) return undefined;
    return this.request.fast?.requestsAhead(wire.serverSoftware(), wire.serverAlgorithms());
  }

  #addBanner(text: string): void {
    this.#banner = appendTail(this.#banner, text);
    if (this.#userauth?.progress.isNoneAnswered === true)
      this.#bannerAboutKeys = appendTail(this.#bannerAboutKeys, text);
  }

  #ready(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { plan, clock, fast, step } = this.request;
    const { client } = this;
    const ping = (): void => pingServer(client);
    const limits = this.#limits;
    const session = new Session({ client, stream: this.#stream, plan, clock, ping, limits, step });
    limits.loggedIn((error) => session.fail(error));
    handOver(client, session, this.algorithms, passOf(limits), fast);
    this.#resolve(session);
  }

  #ended(error: unknown): void {
    const auth = this.#userauth?.progress ?? null;
    const progress = { phase: this.#phase, auth, reply: this.#serverReply() };
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

  #serverReply(): ServerReply {
    const isSshd = this.#wire?.serverSoftware().startsWith("OpenSSH_") === true;
    return { banner: this.#banner, lastWords: this.#bannerAboutKeys, isSshd };
  }
}

/** Holds nothing of the handshake. */
function passOf(limits: ServerLimits): (message: Uint8Array) => Uint8Array {
  return (message) => limits.pass(message);
}

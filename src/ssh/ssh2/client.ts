/**
 * Speaking SSH by ssh2: key exchange, host key check and authentication. Imports ssh2 at first use; only the embedded
 * server does so too.
 */
import type { Duplex } from "node:stream";
import type { Client, ConnectConfig } from "ssh2";
import { HostError, hostErrorOf } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import type { Clock } from "../../lib/clock.js";
import { MAX_SCANNED } from "../../lib/text.js";
import type { Candidates } from "../auth/identity.js";
import { loginRefusal, type ServerReply } from "../auth/login-refusal.js";
import { userKeyAlgorithms } from "../auth/signature-algorithm.js";
import { Userauth } from "../auth/userauth.js";
import { IDENT_LINE } from "../dial/greeting.js";
import type { Dialled } from "../dial/tcp.js";
import type { HostKey } from "../keys/fingerprint.js";
import type { KnownHosts } from "../known-hosts/known-hosts.js";
import { planHostNames, planLabel, type HostPlan } from "../plan/plan.js";
import { offerAlgorithms, type OfferedAlgorithms } from "./algorithms.js";
import { coalesceWrites } from "./coalesce.js";
import { verifyByRawKeys } from "./curve25519.js";
import { handshakeFailure } from "./handshake-failure.js";
import { checkHostKey, sameKeyAtRekey } from "./host-key-check.js";
import {
  introduceAs,
  pingServer,
  settleKeyExchange,
  takeOverAuthentication,
  type Ssh2Internals,
} from "./internals.js";
import { Session } from "./session.js";

export interface HandshakeRequest {
  readonly plan: HostPlan;
  /** Greeted: our line is sent, the server's is next in the stream. */
  readonly dialled: Dialled;
  readonly knownHosts: KnownHosts;
  readonly candidates: Promise<Candidates>;
  readonly clock: Clock;
  /** Told once the user is in: the fingerprint of the key that did it, null when none was needed. */
  readonly accepted: (fingerprint: string | null) => void;
  readonly warn: (message: string) => void;
}

/** In the `server-sig-algs` of sshd since OpenSSH 8.4 and of no other server that calls itself OpenSSH. */
const SSHD_ALONE = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

let loading: Promise<typeof Client> | null = null;
const ANY_ED25519 = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/** Loading takes a tenth of a second the first time: begin it before the network is waited for. */
export function loadSsh2(): Promise<typeof Client> {
  loading ??= import("ssh2").then(
    ({ default: { Client, utils } }) => {
      verifyByRawKeys(utils.parseKey(ANY_ED25519));
      return Client;
    },
    (error: unknown) => {
      // For want of descriptors, perhaps: the next host tries again.
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** Authenticates on a greeted stream, which is destroyed when that fails. Throws HostError, or the signal's reason. */
export async function openSession(request: HandshakeRequest, signal: AbortSignal): Promise<Session> {
  const { dialled, plan, knownHosts } = request;
  const offer = offerAlgorithms(plan.config, knownHosts.knownTypes(planHostNames(plan, dialled.address)));
  if (offer.kind === "cannot") {
    dialled.stream.destroy();
    const message = `${planLabel(plan)}: ${offer.keyword} allows nothing that the built-in client can do (${offer.list})`;
    throw new HostError("protocol-error", "handshake", message, { fix: "install OpenSSH's ssh" });
  }
  const NewClient = await loadSsh2().catch((error: unknown) => {
    dialled.stream.destroy();
    throw localLimit(error, "handshake", `${planLabel(plan)}: ssh2 cannot be loaded`) ?? error;
  });
  signal.throwIfAborted();
  return await new Handshake(request, new NewClient(), offer.algorithms).run(signal);
}

/** Nothing of it is kept once the user is in: a fleet has thousands of sessions, which stay for days. */
class Handshake {
  #phase: "handshake" | "auth" = "handshake";
  #userauth: Userauth | null = null;
  #remember: HostKey | null = null;
  #settled = false;
  #serviceAccepted = false;
  #started = false;
  /** What the server said in banners: all, and since it answered `none`. */
  #banner = "";
  #serverReply = "";
  #wire: Ssh2Internals | null = null;
  #settle: {
    readonly resolve: (session: Session) => void;
    readonly reject: (error: unknown) => void;
  } | null = null;

  constructor(
    private readonly request: HandshakeRequest,
    private readonly client: Client,
    private readonly algorithms: OfferedAlgorithms,
  ) {}

  get #stream(): Duplex {
    return this.request.dialled.stream;
  }

  run(signal: AbortSignal): Promise<Session> {
    const { plan, clock } = this.request;
    const limitMs = plan.handshakeTimeoutMs;
    const onAbort = (): void => this.#fail(signal.reason);
    const deadline = clock.after(limitMs, () => {
      const step = this.#phase === "auth" ? "authentication" : "key exchange";
      const message = `${planLabel(plan)}: no end of the ${step} within ${limitMs / 1000} s`;
      const tried = this.#userauth?.progress.tried ?? [];
      this.#fail(new HostError("handshake-timeout", this.#phase, message, { tried }));
    });
    signal.addEventListener("abort", onAbort, { once: true });
    const running = new Promise<Session>((resolve, reject) => {
      this.#settle = { resolve, reject };
      try {
        this.#start();
      } catch (error) {
        this.#fail(error);
      }
    });
    return running.finally(() => {
      deadline.cancel();
      signal.removeEventListener("abort", onAbort);
    });
  }

  #start(): void {
    const { client } = this;
    // One listener of each for ever: ssh2 often says a second error after the first.
    client.on("error", (error) => this.#ended(error));
    client.on("end", () => this.#ended(null));
    client.on("close", () => this.#ended(null));
    // What these throw would be taken for bad bytes of the server.
    client.once("handshake", () => this.#guard(() => this.#keysExchanged()));
    client.on("ready", () => this.#guard(() => this.#ready()));
    coalesceWrites(this.#stream, { exceptFirst: true });
    client.connect(this.#config());
    introduceAs(client, IDENT_LINE);
    this.#wire = takeOverAuthentication(client, {
      serviceAccepted: () => {
        this.#serviceAccepted = true;
        if (this.#userauth !== null) this.#guard(() => this.#startOnce());
      },
      keyAccepted: () => this.#guard(() => this.#userauth?.keyAccepted()),
      failure: (methods, partial) => this.#guard(() => this.#userauth?.failure(methods, partial)),
      banner: (text) => this.#guard(() => this.#heard(text)),
      success: () => this.#guard(() => this.request.accepted(this.#userauth?.accepted?.fingerprint ?? null)),
    });
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
    this.#remember = decision.remember;
    return true;
  }

  /** The server has proven its key; the service request is written right after this. */
  #keysExchanged(): void {
    this.#phase = "auth";
    this.#rememberHostKey();
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
      this.#fail(loginRefusal(plan, refusal, candidates, this.#said()));
    });
    // sshd reads on after the service request, so the first one of ours need not wait for its answer.
    if (this.#serviceAccepted || isOpenssh(wire)) this.#startOnce();
  }

  #startOnce(): void {
    const wire = this.#wire;
    if (this.#started || wire === null) return;
    this.#started = true;
    this.#userauth?.start(isOpenssh(wire) && wire.serverAlgorithms()?.includes(SSHD_ALONE) === true);
  }

  #heard(banner: string): void {
    const isAboutKeys = this.#userauth?.progress.isNoneAnswered === true;
    this.#banner = (this.#banner + banner).slice(-MAX_SCANNED);
    if (isAboutKeys) this.#serverReply = (this.#serverReply + banner).slice(-MAX_SCANNED);
  }

  #ready(): void {
    if (this.#settled) return;
    this.#settled = true;
    const { plan, clock } = this.request;
    const { client } = this;
    const session = new Session({
      client,
      stream: this.#stream,
      plan,
      clock,
      ping: () => pingServer(client),
    });
    handOver(client, session, this.algorithms);
    this.#settle?.resolve(session);
  }

  #ended(error: unknown): void {
    const auth = this.#userauth?.progress ?? null;
    this.#fail(handshakeFailure(this.request.plan, error, { phase: this.#phase, auth, said: this.#said() }));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(hostErrorOf(error, this.#phase));
    }
  }

  /** The first cause counts. The stream goes at once: a server that talks garbage would keep a core busy. */
  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#stream.on("error", () => undefined);
    this.#stream.destroy();
    this.#settle?.reject(error);
  }

  #said(): ServerReply {
    const isSshd = this.#wire !== null && isOpenssh(this.#wire);
    return { banner: this.#banner, lastWords: this.#serverReply, isSshd };
  }

  #rememberHostKey(): void {
    const { plan, dialled, knownHosts, warn } = this.request;
    const key = this.#remember;
    if (key === null) return;
    const names = planHostNames(plan, dialled.address);
    void knownHosts.remember(names, key, { hash: plan.config.hashKnownHosts }).then(
      (warning) => {
        if (warning !== null) warn(warning);
      },
      (error: unknown) => this.#fail(error),
    );
  }
}

function isOpenssh(wire: Ssh2Internals): boolean {
  return wire.serverSoftware().startsWith("OpenSSH_");
}

/** From now on the client's events are the session's alone. */
function handOver(client: Client, session: Session, offered: OfferedAlgorithms): void {
  client.removeAllListeners();
  const ended = (error?: Error): void => session.fail(error ?? null);
  client.on("error", ended).on("end", ended).on("close", ended);
  client.on("handshake", () => settleKeyExchange(client, offered));
  settleKeyExchange(client, offered);
}

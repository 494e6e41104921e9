/** The login of one connection: which requests go out when, and what the server has answered to them. */
import type { StepLog } from "../../contract/step-log.js";
import { appendTail } from "../../lib/text.js";
import type { Candidates, IdentityCandidate } from "../auth/identity.js";
import { loginRefusal, type ServerReply } from "../auth/login-refusal.js";
import { userKeyAlgorithms } from "../auth/signature-algorithm.js";
import { Userauth, type AuthProgress } from "../auth/userauth.js";
import type { HostPlan } from "../plan/plan.js";
import type { FastPaths } from "./fast/fast-paths.js";
import type { RequestsAhead } from "./fast/round-trips.js";
import { AuthSteps } from "./handshake-steps.js";
import { takeOverAuthentication, type Ssh2Internals } from "./internals.js";

export interface LoginParts {
  readonly plan: HostPlan;
  readonly fast?: FastPaths | undefined;
  readonly step?: StepLog | undefined;
  /** Runs what the server's messages lead to: ssh2 would take what it throws for bad bytes of the server. */
  readonly guard: (act: () => void) => void;
  /** The user is in, with this key; null when none was needed. */
  readonly accepted: (key: IdentityCandidate | null) => void;
  readonly failed: (error: unknown) => void;
}

export class Login {
  #userauth: Userauth | null = null;
  #serviceAccepted = false;
  #started = false;
  /** The server's banners: all of them, and those since its answer to `none`. */
  #banner = "";
  #bannerAboutKeys = "";
  readonly #wire: Ssh2Internals;

  /** Takes authentication over from a client whose `connect` was just called. */
  constructor(
    client: object,
    private readonly parts: LoginParts,
  ) {
    const { plan, step, guard, accepted } = parts;
    const steps = step === undefined ? null : new AuthSteps(step);
    const wire = takeOverAuthentication(client, {
      serviceAccepted: () => {
        this.#serviceAccepted = true;
        if (this.#userauth !== null) guard(() => this.#startOnce());
      },
      keyAccepted: () =>
        guard(() => {
          steps?.keyAccepted(this.#userauth?.current ?? null);
          this.#userauth?.keyAccepted();
        }),
      failure: (methods, partial) =>
        guard(() => {
          steps?.refused(methods, partial);
          this.#userauth?.failure(methods, partial);
        }),
      banner: (text) => guard(() => this.#addBanner(text)),
      success: () =>
        guard(() => {
          const key = this.#userauth?.accepted ?? null;
          steps?.authenticated(plan.user, key);
          accepted(key);
        }),
    });
    this.#wire = steps === null ? wire : steps.logSends(wire, () => this.#userauth?.current ?? null);
  }

  /** Keys are exchanged, and these are the keys of the user. */
  begin(candidates: Candidates): void {
    const { plan, failed } = this.parts;
    const { pubkeyAcceptedAlgorithms, requiredRsaSize, pubkeyAuthentication } = plan.config;
    const keys = pubkeyAuthentication ? candidates.keys : [];
    const algorithms = userKeyAlgorithms(pubkeyAcceptedAlgorithms);
    const request = { user: plan.user, keys, algorithms, requiredRsaSize };
    this.#userauth = new Userauth(this.#wire, request, (refusal) =>
      failed(loginRefusal(plan, refusal, candidates, this.reply)),
    );
    if (this.#serviceAccepted || this.#ahead().beforeServiceAccept) this.#startOnce();
  }

  /** Null: not begun. */
  get progress(): AuthProgress | null {
    return this.#userauth?.progress ?? null;
  }

  get reply(): ServerReply {
    const isSshd = this.#wire.serverSoftware().startsWith("OpenSSH_");
    return { banner: this.#banner, lastWords: this.#bannerAboutKeys, isSshd };
  }

  #startOnce(): void {
    if (this.#started) return;
    this.#started = true;
    this.#userauth?.start(this.#ahead().keyWithNone);
  }

  #ahead(): RequestsAhead {
    const { fast } = this.parts;
    return fast?.requestsAhead(this.#wire.serverSoftware(), this.#wire.serverAlgorithms()) ?? NOTHING_AHEAD;
  }

  #addBanner(text: string): void {
    this.#banner = appendTail(this.#banner, text);
    if (this.#userauth?.progress.isNoneAnswered === true)
      this.#bannerAboutKeys = appendTail(this.#bannerAboutKeys, text);
  }
}

const NOTHING_AHEAD: RequestsAhead = { beforeServiceAccept: false, keyWithNone: false };

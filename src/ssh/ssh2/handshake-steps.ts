/** The steps of a handshake as lines of the step log. No key material, signature or password is in them. */
import type { NegotiatedAlgorithms } from "ssh2";
import type { StepLog } from "../../contract/step-log.js";
import { oneLine } from "../../lib/text.js";
import type { IdentityCandidate } from "../auth/identity.js";
import type { Ssh2Internals } from "./internals.js";

/** Which algorithms a key exchange came to. */
export function negotiatedText({ kex, serverHostKey, cs, sc }: NegotiatedAlgorithms): string {
  const one = ({ cipher, mac, compress }: NegotiatedAlgorithms["cs"]): string =>
    [cipher, mac === "" ? "implicit MAC" : mac, compress === "none" ? "" : compress]
      .filter((name) => name !== "")
      .join(", ");
  const [out, back] = [one(cs), one(sc)];
  const ciphers = out === back ? out : `to the server ${out}, from it ${back}`;
  return `key exchange done: ${kex}, ${serverHostKey}, ${ciphers}`;
}

/** Logs what one connection's authentication sends and receives. */
export class AuthSteps {
  constructor(private readonly step: StepLog) {}

  /** The wire, with each request logged as it is sent. `current`: the key that the request is for. */
  logSends(wire: Ssh2Internals, current: () => IdentityCandidate | null): Ssh2Internals {
    return {
      ...wire,
      send: (method, payload) => {
        const key = method === "publickey" ? current() : null;
        this.step("ssh", `authentication request: ${method}${key === null ? "" : ` ${keyText(key)}`}`);
        wire.send(method, payload);
      },
    };
  }

  /** SSH_MSG_USERAUTH_PK_OK. */
  keyAccepted(key: IdentityCandidate | null): void {
    if (key !== null) this.step("ssh", `the server would accept ${keyText(key)}; signing`);
  }

  /** SSH_MSG_USERAUTH_FAILURE. */
  refused(methods: readonly string[], isPartial: boolean): void {
    const result = isPartial ? "partial success" : "refused";
    const names = methods.length === 0 ? "none" : oneLine(methods.join(", "));
    this.step("ssh", `authentication ${result}; methods that can continue: ${names}`);
  }

  /** SSH_MSG_USERAUTH_SUCCESS. Null: no key was needed. */
  authenticated(user: string, key: IdentityCandidate | null): void {
    this.step("ssh", `authenticated as ${user} by ${key === null ? "none" : keyText(key)}`);
  }
}

function keyText({ type, certified, fingerprint, source }: IdentityCandidate): string {
  return `${type}${certified ? " certificate" : ""} ${fingerprint} (${source})`;
}

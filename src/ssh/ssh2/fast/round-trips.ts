/** Fewer messages and round trips in a handshake. Without it each request waits for the answer to the one before. */

/** Which authentication requests may be sent before the server has answered the one before. */
export interface RequestsAhead {
  /** The first request, before SSH_MSG_SERVICE_ACCEPT. */
  readonly beforeServiceAccept: boolean;
  /** The first key, together with the `none` request. */
  readonly keyWithNone: boolean;
}

/** In the `server-sig-algs` of sshd since OpenSSH 8.4 and of no other server that calls itself OpenSSH. */
const ONLY_SSHD_ALGORITHM = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

/**
 * sshd reads on after the service request, takes requests in their order, and ignores those that come after it has let the
 * user in. Others may refuse a request too many. `signatureAlgorithms`: the server's `server-sig-algs`, null without them.
 */
export function requestsAhead(
  software: string,
  signatureAlgorithms: readonly string[] | null,
): RequestsAhead {
  const isOpenssh = software.startsWith("OpenSSH_");
  return {
    beforeServiceAccept: isOpenssh,
    keyWithNone: isOpenssh && signatureAlgorithms?.includes(ONLY_SSHD_ALGORITHM) === true,
  };
}

type Handler = (protocol: unknown, ...args: unknown[]) => void;

/**
 * Does not answer the server's offer to prove its other host keys (OpenSSH's PROTOCOL, 2.5): the proofs cost a fifth of
 * the connection, and ssh2 would only report them to a listener, of which there is none.
 */
export function ignoreOtherHostKeys(handlers: Record<string, Handler>): void {
  const answer = handlers["GLOBAL_REQUEST"];
  handlers["GLOBAL_REQUEST"] = (...args) => {
    if (args[1] !== "hostkeys-00@openssh.com") answer?.(...args);
  };
}

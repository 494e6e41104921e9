/**
 * Sessions by ssh2: loads it and runs the handshake. ssh2 is imported at first use; only the embedded server imports it
 * too.
 */
import type { Client } from "ssh2";
import { HostError } from "../../contract/errors.js";
import { localLimit } from "../../contract/local-limit.js";
import { planHostNames, planLabel } from "../plan/plan.js";
import { offerAlgorithms } from "./algorithms.js";
import type { FastPaths } from "./fast/fast-paths.js";
import { Handshake, type HandshakeRequest } from "./handshake.js";
import type { Session } from "./session.js";

let loading: Promise<typeof Client> | null = null;
const ANY_ED25519 = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

/** Loading takes a tenth of a second the first time: begin it before waiting for the network. */
export function loadSsh2(fast?: FastPaths): Promise<typeof Client> {
  loading ??= import("ssh2").then(
    ({ default: { Client, utils } }) => {
      fast?.loaded(utils.parseKey(ANY_ED25519));
      return Client;
    },
    (error: unknown) => {
      // Perhaps for lack of memory: the next host tries again.
      loading = null;
      throw error;
    },
  );
  return loading;
}

/** Authenticates on a greeted stream, which is destroyed when that fails. Throws HostError, or the signal's reason. */
export async function openSession(request: HandshakeRequest, signal: AbortSignal): Promise<Session> {
  const { dialled, plan, knownHosts, fast } = request;
  const offer = offerAlgorithms(plan.config, knownHosts.knownTypes(planHostNames(plan, dialled.address)));
  if (offer.kind === "cannot") {
    dialled.stream.destroy();
    const message = `${planLabel(plan)}: ${offer.keyword} allows nothing that the built-in client can do (${offer.list})`;
    throw new HostError("protocol-error", "handshake", message, { fix: "install OpenSSH's ssh" });
  }
  const NewClient = await loadSsh2(fast).catch((error: unknown) => {
    dialled.stream.destroy();
    throw localLimit(error, "handshake", `${planLabel(plan)}: ssh2 cannot be loaded`) ?? error;
  });
  signal.throwIfAborted();
  return await new Handshake(request, new NewClient(), offer.algorithms).run(signal);
}

/** One name by getaddrinfo(3), so that all of nsswitch.conf counts: hosts, DNS, mDNS, sssd. It holds a thread of libuv's. */
import { lookup } from "node:dns";
import type { NameAnswer, NameQuestion } from "./messages.js";

/** Calls back once; throws nothing. */
export function lookUp({ name, family }: NameQuestion, answered: (answer: NameAnswer) => void): void {
  try {
    lookup(name, { all: true, family, verbatim: true }, (error, found) => {
      if (error !== null) answered(failed(error));
      else if (found.length === 0) answered({ addresses: null, code: "ENOTFOUND", message: "no address" });
      else answered({ addresses: [...new Set(found.map(({ address }) => address))] });
    });
  } catch (error) {
    answered(failed(error));
  }
}

function failed(error: unknown): NameAnswer {
  const code: unknown = error instanceof Error && "code" in error ? error.code : null;
  const message = error instanceof Error ? error.message : String(error);
  return { addresses: null, code: typeof code === "string" ? code : "ENOTFOUND", message };
}

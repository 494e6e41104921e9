/**
 * One look-up by getaddrinfo(3), so that all of nsswitch.conf counts: hosts, DNS, mDNS, sssd. It occupies one of libuv's
 * threads. The messages between a resolver process and us are here too: plain data.
 */
import { lookup } from "node:dns";

/** 0: any family. */
export type Family = 0 | 4 | 6;

export interface NameQuestion {
  readonly name: string;
  readonly family: Family;
}

/** Numeric addresses in the resolver's order, at least one; or why there are none, with getaddrinfo's code. */
export type NameAnswer =
  | { readonly addresses: readonly string[] }
  | { readonly addresses: null; readonly code: string; readonly message: string };

/** `id` connects an answer with its question. `isReady`: the process runs, and has all the threads that it needs for that. */
export type ToResolver = NameQuestion & { readonly id: number };
export type FromResolver = (NameAnswer & { readonly id: number }) | { readonly isReady: true };

/** Calls back once; never throws. */
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

/** What is asked of a resolver, and what it answers. Plain data, all of it. */

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

export type ToResolver = NameQuestion & { readonly id: number };
export type FromResolver = NameAnswer & { readonly id: number };

/** A host as the operator typed it: `[user@]host[:port]`, IPv6 in brackets. Resolution is the SSH stage's business. */
export interface Target {
  readonly user?: string;
  /** Without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it was typed: `--ssh` or `file:line`, for messages. */
  readonly origin: string;
}

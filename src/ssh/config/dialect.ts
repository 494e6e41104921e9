/** Which OpenSSH's configuration language is read: the version as major * 100 + minor. */

/**
 * 9.2 is the oldest that is followed line by line; 10.0 adds Tag, `Match tagged` and `localnetwork` (9.4), `%j` (9.6),
 * ChannelTimeout (9.7), `Match version`, `sessiontype` and `command`, RefuseConnection and tokens in User and SetEnv.
 */
export type DialectVersion = number;

/** The newest language that is known: what an older ssh calls an unknown keyword is then accepted. */
export const NEWEST_DIALECT: DialectVersion = 1000;

/** The first version with each addition after 9.2. */
export const SINCE = {
  tag: 904,
  localNetwork: 904,
  obscureKeystrokeTiming: 905,
  jumpToken: 906,
  channelTimeout: 907,
  tokensInRevokedHostKeys: 909,
  refuseConnection: 1000,
  versionAddendum: 1000,
  tokensInUser: 1000,
  tokensInSetEnv: 1000,
  matchSession: 1000,
} as const satisfies Record<string, DialectVersion>;

/** The dialect of `OpenSSH_9.2p1 ...`, the text that `ssh -V` prints; null when it is some other program. */
export function dialectOf(versionText: string): DialectVersion | null {
  const parts = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(versionText);
  return parts === null ? null : Number(parts[1]) * 100 + Number(parts[2]);
}

/** The version of OpenSSH's configuration language, as major * 100 + minor. */

/** 902 is the oldest that is followed line by line. */
export type DialectVersion = number;

/** The newest version that is known, and the one that is used where no ssh is installed. */
export const NEWEST_DIALECT: DialectVersion = 1005;

/** The release for `Match version` where no ssh is installed. */
export const NEWEST_RELEASE = "OpenSSH_10.5p1";

/** The first version with each addition after 9.2 (release notes and readconf.c, 9.3 to 10.5). */
export const SINCE = {
  tag: 904,
  localNetwork: 904,
  obscureKeystrokeTiming: 905,
  jumpToken: 906,
  channelTimeout: 906,
  /** Match lines as shell-like words: single quotes, escapes, empty arguments. */
  matchWords: 909,
  tokensInInclude: 909,
  tokensInRevokedHostKeys: 909,
  versionAddendum: 1000,
  tokensInUser: 1000,
  tokensInSetEnv: 1000,
  matchSession: 1000,
  refuseConnection: 1001,
  warnWeakCrypto: 1001,
  /** `Match !final` requires no second pass. */
  negatedFinal: 1001,
  /** More than one file a line. */
  revokedHostKeysList: 1003,
} as const satisfies Record<string, DialectVersion>;

/** The dialect of `OpenSSH_9.2p1 ...`, the text that `ssh -V` prints; null for another program. */
export function dialectOf(versionText: string): DialectVersion | null {
  const parts = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(versionText);
  return parts === null ? null : Number(parts[1]) * 100 + Number(parts[2]);
}

/** The release that `Match version` compares with, as `OpenSSH_9.2p1 Debian-2`: what `ssh -V` prints before its comma. */
export function releaseOf(versionText: string): string {
  return (versionText.split(/[,\n]/, 1)[0] ?? "").trim();
}

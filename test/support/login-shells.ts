/** The shells that a user of a host may have, where they usually are. */
import { existsSync } from "node:fs";

export interface LoginShell {
  readonly name: string;
  readonly argv: readonly [program: string, ...args: string[]];
  /** For `test(..., { skip })`. */
  readonly skip: string | false;
}

/** Those that run a script for sh. */
export const POSIX_SHELLS: readonly LoginShell[] = [
  shell("dash", "/bin/dash"),
  shell("bash", "/bin/bash"),
  shell("busybox ash", "/bin/busybox", "ash"),
  shell("ksh", "/bin/ksh"),
  shell("zsh", "/bin/zsh"),
];

export const LOGIN_SHELLS: readonly LoginShell[] = [
  ...POSIX_SHELLS,
  shell("fish", "/usr/bin/fish"),
  shell("tcsh", "/bin/tcsh"),
];

function shell(name: string, ...argv: LoginShell["argv"]): LoginShell {
  return { name, argv, skip: !existsSync(argv[0]) && `SKIPPED LOUDLY: ${argv[0]} is not installed` };
}

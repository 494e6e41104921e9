/** The code of a failed system call (`ENOENT`, ...), null for any other error. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Why a file could not be opened, without its path, which the message around it has: `no such file or directory (ENOENT)`. */
export function failureReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  if (code === null || !message.startsWith(`${code}: `)) return message;
  return `${message.slice(code.length + 2).replace(/, [a-z]+(?: '.*')?$/s, "")} (${code})`;
}

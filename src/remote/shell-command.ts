/** A script as the one argument of `sh -c`, in quotes that every login shell leaves as they are. */

// What a login shell other than sh acts on inside single quotes: csh history (`!`, but not before a blank), fish's
// escapes (`\\`), line ends.
const UNSAFE_IN_QUOTES = /['\n\r]|\\\\|!(?! )/;

/** `exec /bin/sh -c '...'`. Throws when a part breaks the rule that keeps every login shell from changing it. */
export function shellCommand(script: string): string {
  const unsafe = UNSAFE_IN_QUOTES.exec(script);
  if (unsafe !== null) {
    const start = Math.max(0, unsafe.index - 30);
    const context = script.slice(start, unsafe.index + 10);
    throw new Error(
      `remote script: ${JSON.stringify(unsafe[0])} is unsafe in quotes, near ${JSON.stringify(context)}`,
    );
  }
  return `exec /bin/sh -c '${script}'`;
}

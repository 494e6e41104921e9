/** `%x` tokens, `${ENV}` and `~` after OpenSSH's misc.c. Failures are messages: the caller knows file and line. */

/** The letters that a keyword may use, with the value of each; undefined: not available here. */
export type Tokens = Readonly<Record<string, string | undefined>>;

export type Expanded =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

export interface Expansion {
  /** Absent: percent signs are kept. */
  readonly tokens?: Tokens;
  /** Absent: `${...}` is kept. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const VARIABLE_END = /\}/g;

/** Expands in one pass: the value of a variable or token is not expanded again. */
export function expand(text: string, { tokens, env }: Expansion): Expanded {
  let out = "";
  let missing: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (env !== undefined && char === "$" && text.charAt(at + 1) === "{") {
      VARIABLE_END.lastIndex = at + 2;
      const close = VARIABLE_END.exec(text)?.index;
      if (close === undefined) {
        return fail(`environment variable '${text.slice(at + 2)}' missing closing '}'`);
      }
      const name = text.slice(at + 2, close);
      if (name === "") return fail("zero-length environment variable");
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value === undefined) missing ??= `env var \${${name}} has no value`;
      else out += value;
      at = close;
    } else if (tokens !== undefined && char === "%") {
      const letter = text.charAt(++at);
      if (letter === "") return fail("invalid format: it ends in a lone %");
      const value = letter === "%" ? "%" : Object.hasOwn(tokens, letter) ? tokens[letter] : undefined;
      if (value === undefined) return fail(`unknown key %${letter}`);
      out += value;
    } else out += char;
  }
  return missing === null ? { ok: true, text: out } : fail(missing);
}

function fail(message: string): Expanded {
  return { ok: false, message };
}

/** `~` and `~user` at the start become home directories (tilde_expand_filename). */
export function expandTilde(path: string, homeOf: (user: string | null) => string | null): Expanded {
  const parts = /^~([^/]*)\/*([^]*)$/.exec(path);
  if (parts === null) return { ok: true, text: path };
  const [, user = "", tail = ""] = parts;
  const home = homeOf(user === "" ? null : user);
  if (home === null) return fail(`No such user ${user}`);
  return { ok: true, text: home.endsWith("/") ? home + tail : `${home}/${tail}` };
}

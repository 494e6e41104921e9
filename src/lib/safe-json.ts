/** JSON.stringify for output that may reach a terminal or a strict reader. */

// JSON.stringify escapes C0 and lone surrogates. It leaves these, and a terminal acts on them. None of them can be
// outside a string, so escaping them in the whole text changes no value.
const LEFT_BY_STRINGIFY = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A value's JSON without control characters and lone surrogates. Undefined where JSON.stringify returns undefined. */
export function safeJson(value: unknown): string | undefined {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : wellFormed(text.replace(LEFT_BY_STRINGIFY, escape));
}

// A whole escape, so that the escaped backslash of a text is not taken for the start of one.
const ESCAPE = /\\(?:ud[89a-f][0-9a-f]{2}|[^])/g;

/** JSON.stringify writes a lone surrogate as `\ud800`. jq 1.6 reads no line after it, so U+FFFD replaces it. */
function wellFormed(json: string): string {
  if (!json.includes("\\ud")) return json;
  return json.replace(ESCAPE, (escaped) => (escaped.length === 6 ? "\\ufffd" : escaped));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

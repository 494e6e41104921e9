/**
 * Base64 as ssh reads it (b64_pton): padding must be there and its spare bits must be zero; white space is skipped
 * anywhere, so a carriage return at the line's end does no harm. Null for anything else.
 */
export function decodeBase64(text: string): Buffer | null {
  const bare = text.replace(/[ \t\n\v\f\r]+/g, "");
  const bytes = Buffer.from(bare, "base64");
  return bytes.toString("base64") === bare ? bytes : null;
}

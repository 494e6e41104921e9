/** Texts that a host might print: a recording with a few edits. */
import fc from "fast-check";

const PIECES = [
  "",
  "0",
  "-1",
  "-5",
  "1e999",
  "99999999999999999999",
  "NaN",
  "18446744073709551615",
  ":",
  "\n",
  "\u001b[31m",
  "@sys\n",
  "cpu0 ",
];

export function mutationsOf(text: string): fc.Arbitrary<string> {
  const edit = fc.tuple(
    fc.nat(Math.max(text.length - 1, 0)),
    fc.nat(20),
    fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: "binary", maxLength: 6 })),
  );
  return fc
    .array(edit, { maxLength: 8 })
    .map((edits) =>
      edits.reduce((now, [at, length, put]) => now.slice(0, at) + put + now.slice(at + length), text),
    );
}

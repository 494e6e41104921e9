/** A frame is the same in whatever chunks it comes, and by the plain and the quick way to hold them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PlainFrameBytes } from "../../src/remote/frame-bytes.js";
import { FrameReader, type Frame } from "../../src/remote/frame.js";
import { propertyRuns } from "../support/property-runs.js";

const NONCE = "0a1b2c";
const FRAME = [
  `\n@${NONCE} v gnu Linux\n`,
  `\n@${NONCE} p host.proc\ncpu 1 2 3 4\n@temps\n\n@${NONCE} x host.proc 0\n`,
  `\n@${NONCE} t nvidia-smi nvidia-smi\n`,
  `\n@${NONCE} p nvidia-smi.query\nno newline at the end \u00e9`,
  `\n@${NONCE} e nvidia-smi.query\nwarning\n\n@${NONCE} x nvidia-smi.query 6\n`,
  `\n@${NONCE} q nvidia-smi.apps\nwarning ${"!".repeat(3000)}\n`,
  `\n@${NONCE} o nvidia-smi.apps 7\na row`,
  `\n@${NONCE} z 41\n`,
].join("");

function read(chunks: readonly Buffer[], tick: number): { reader: FrameReader; ends: boolean[] } {
  const reader = new FrameReader(NONCE);
  reader.begin(tick);
  return { reader, ends: chunks.map((chunk, at) => reader.push(chunk, at * 10)) };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places)].sort((a, b) => a - b);
  return [0, ...sorted].map((from, at) => bytes.subarray(from, sorted[at] ?? bytes.length));
}

test("cut anywhere, its parts are the same, and its end is found with its last byte and not before", () => {
  const bytes = Buffer.from(FRAME);
  const whole = read([bytes], 41);
  assert.deepEqual(whole.ends, [true]);
  const { outputs, found, uname, limiter, isWhole } = whole.reader.frame(10);
  assert.deepEqual([...outputs.keys()], ["host.proc", "nvidia-smi.query", "nvidia-smi.apps"]);
  assert.deepEqual(outputs.get("nvidia-smi.query"), {
    stdout: "no newline at the end \u00e9",
    stderr: "warning\n",
    end: { kind: "exit", code: 6 },
  });
  const buffered = outputs.get("nvidia-smi.apps");
  assert.deepEqual(buffered?.end, { kind: "exit", code: 7 });
  assert.equal(buffered.stdout, "a row\n");
  assert.equal(
    buffered.stderr,
    `warning ${"!".repeat(2000 - "warning ".length)}`,
    "only the beginning of stderr is kept",
  );
  assert.deepEqual([found.length, uname, limiter, isWhole], [1, "Linux", "gnu", true]);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 60 }),
      fc.constantFrom("", "\n", "\nlate output\n"),
      (places, after) => {
        const chunks = cut(bytes, places);
        chunks.push(Buffer.concat([chunks.pop() ?? Buffer.alloc(0), Buffer.from(after)]));
        const { reader, ends } = read(chunks, 41);
        assert.deepEqual(ends, [...chunks.slice(1).map(() => false), true]);
        assert.deepEqual(reader.frame(10).outputs, outputs);
      },
    ),
  );
});

test("the end of another tick is no end, and bytes from before `begin` are gone", () => {
  const { reader, ends } = read([Buffer.from(FRAME)], 4);
  assert.deepEqual(ends, [false]);
  reader.begin(41);
  assert.equal(reader.push(Buffer.from(FRAME.slice(-10)), 0), false);
  assert.equal(reader.frame(10).isWhole, false);
});

test("a part took the time between the arrivals of its markers", () => {
  const bytes = Buffer.from(FRAME);
  const places = [bytes.indexOf("cpu 1"), bytes.indexOf("@temps"), bytes.indexOf("t nvidia-smi")];
  const { reader } = read(cut(bytes, places), 41);
  assert.deepEqual(
    [...reader.frame(10).tookMs],
    [
      ["host.proc", 20],
      ["nvidia-smi.query", 0],
      ["nvidia-smi.apps", 0],
    ],
  );
});

test("a buffered part that has not ended has its stderr and no stdout", () => {
  const bytes = Buffer.from(FRAME.slice(0, FRAME.indexOf(`\n@${NONCE} o `)));
  const output = read([bytes], 41).reader.frame(10).outputs.get("nvidia-smi.apps");
  assert.deepEqual(output?.end, { kind: "missing" });
  assert.deepEqual([output.stdout, output.stderr.slice(0, 9)], ["", "warning !"]);
});

test("the output of a buffered part ends with a newline where it exited by itself, and only there", () => {
  const stdoutOf = (status: number, printed: string): string | undefined => {
    const frame = `\n@${NONCE} q a\n\n@${NONCE} o a ${status}\n${printed}\n@${NONCE} z 1\n`;
    return read([Buffer.from(frame)], 1)
      .reader.frame(10)
      .outputs.get("a")?.stdout;
  };
  assert.equal(stdoutOf(0, "1, 45"), "1, 45\n");
  assert.equal(stdoutOf(9, "no driver"), "no driver\n");
  assert.equal(stdoutOf(0, ""), "");
  assert.equal(stdoutOf(124, "1, 45"), "1, 45", "it may have been 4567");
  assert.equal(stdoutOf(137, "1, 45"), "1, 45");
});

test("a part that prints more than is read does not affect the other parts", () => {
  const flood = "613\n".repeat(100_001);
  const late = [`\n@${NONCE} q b\n`, `\n@${NONCE} o b 0\n${flood}`, `\n@${NONCE} p c\n${flood}`].join("");
  const text = `\n@${NONCE} p a\n${flood}\n@${NONCE} x a 124\n${late}`;
  const rest = `\n@${NONCE} x c 0\n\n@${NONCE} p d\na row\n\n@${NONCE} x d 0\n\n@${NONCE} z 3\n`;
  const flooded = { stdout: "", stderr: "", end: { kind: "flooded", what: "more than 100000 lines" } };
  const { reader, ends } = read([Buffer.from(text), Buffer.from(rest)], 3);
  assert.deepEqual(ends, [false, true]);
  const { outputs } = reader.frame(10);
  assert.deepEqual(
    outputs,
    new Map<string, object>([
      ["a", flooded],
      ["b", flooded],
      ["c", flooded],
      ["d", { stdout: "a row\n", stderr: "", end: { kind: "exit", code: 0 } }],
    ]),
  );
  const stderrFlood = [`\n@${NONCE} q b\n${flood}`, `\n@${NONCE} o b 9\n\n@${NONCE} z 3\n`].join("");
  const failed = read([Buffer.from(stderrFlood)], 3)
    .reader.frame(10)
    .outputs.get("b");
  assert.deepEqual(failed, { stdout: "", stderr: flood.slice(0, 2000), end: { kind: "exit", code: 9 } });
  // The shell hangs in a part that has not ended: that is recorded, not the flood.
  const cutOff = read([Buffer.from(text)], 3).reader.frame(10).outputs;
  assert.deepEqual(cutOff.get("c"), { stdout: "", stderr: "", end: { kind: "missing" } });
});

/** Everything that a reader returns: after which chunks the frame had ended, and what was parsed then. */
interface Result {
  readonly ends: readonly boolean[];
  readonly preamble: string;
  readonly frame: Frame;
}

/** Pushes chunks until the frame ends, as a lane does. */
function readWith(reader: FrameReader, chunks: readonly Buffer[], tick: number): Result {
  reader.begin(tick);
  const ends: boolean[] = [];
  for (const [at, chunk] of chunks.entries()) {
    ends.push(reader.push(chunk, at * 10));
    if (ends.at(-1) === true) break;
  }
  return { ends, preamble: reader.preamble(), frame: reader.frame(10) };
}

/** The readers are used for several frames one after another, as those of a session. */
const QUICK = new FrameReader(NONCE);
const PLAIN = new FrameReader(NONCE, (marker) => new PlainFrameBytes(marker));

function assertSame(chunks: readonly Buffer[], tick: number): void {
  assert.deepEqual(readWith(QUICK, chunks, tick), readWith(PLAIN, chunks, tick));
}

test("plain and quick: cut at every byte, and at every two bytes near the end", () => {
  const bytes = Buffer.from(FRAME);
  for (let at = 1; at < bytes.length; at++) assertSame(cut(bytes, [at]), 41);
  for (let a = bytes.length - 20; a < bytes.length; a++)
    for (let b = a + 1; b < bytes.length; b++) assertSame(cut(bytes, [a, b]), 41);
  assertSame(
    [...bytes].map((byte) => Buffer.from([byte])),
    41,
  );
});

test("plain and quick: any mix of markers, halves of markers, nonces and data, in any chunks", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...["\n", "@", NONCE, `@${NONCE}`, `\n@${NONCE}`, `\n@${NONCE} `, `\n@${NONCE} z 4\n`, " ", "\n\n"],
      ...[`\n@${NONCE} z 41\n`, `\n@${NONCE} z 41`, `@${NONCE} z 41\n`, `\n@${NONCE} z 411\n`],
      ...[`\n@${NONCE} p a\n`, `\n@${NONCE} x a 0\n`, `\n@${NONCE} q b\n`, `\n@${NONCE} o b 124\n`],
      ...[`\n@${NONCE} e a\n`, `\n@${NONCE} t s s\n`, `\n@${NONCE} v gnu Linux\n`, "\u00e9", "\0"],
    ),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const places = fc.array(fc.nat({ max: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), places, (pieces, at) => {
      const bytes = Buffer.from(pieces.join(""));
      const inside = at.filter((place) => place > 0 && place < bytes.length);
      assertSame(cut(bytes, inside), 41);
    }),
    { numRuns: propertyRuns(600) },
  );
});

test("plain and quick: floods, and frames longer than the shared buffer", () => {
  const long = "613\n".repeat(100_001);
  for (const count of [1000, 16_384, 100_001]) {
    const body = long.slice(0, count * 4);
    const frame = Buffer.from(`\n@${NONCE} p a\n${body}\n@${NONCE} x a 0\n\n@${NONCE} z 41\n`);
    assertSame([frame], 41);
    assertSame(cut(frame, [5, 70_000, frame.length - 3]), 41);
  }
  const chunk = Buffer.alloc(16 * 1024 * 1024, 120);
  for (const reader of [QUICK, PLAIN]) {
    reader.begin(41);
    assert.equal(reader.push(chunk, 0), false);
    assert.equal(reader.push(chunk, 0), false);
    assert.throws(() => reader.push(Buffer.from("x"), 0), RangeError);
    reader.forget();
    assert.equal(reader.preamble(), "");
  }
});

/** A frame is the same in whatever pieces it comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader } from "../../src/remote/frame.js";

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

test("cut anywhere, its parts are the same, and its end is seen with its last byte and not before", () => {
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
  const brief = outputs.get("nvidia-smi.apps");
  assert.deepEqual(brief?.end, { kind: "exit", code: 7 });
  assert.equal(brief.stdout, "a row\n");
  assert.equal(
    brief.stderr,
    `warning ${"!".repeat(2000 - "warning ".length)}`,
    "of a complaint, its beginning",
  );
  assert.deepEqual([found.length, uname, limiter, isWhole], [1, "Linux", "gnu", true]);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 60 }),
      fc.constantFrom("", "\n", "\nlate words\n"),
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

test("the end of another tick is no end, and what was forgotten is not heard again", () => {
  const { reader, ends } = read([Buffer.from(FRAME)], 4);
  assert.deepEqual(ends, [false]);
  reader.begin(41);
  assert.equal(reader.push(Buffer.from(FRAME.slice(-10)), 0), false);
  assert.equal(reader.frame(10).isWhole, false);
});

test("a part took as long as passed between the arrivals of its marks", () => {
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

test("a brief part that has not ended has said what it complained of, and nothing else", () => {
  const bytes = Buffer.from(FRAME.slice(0, FRAME.indexOf(`\n@${NONCE} o `)));
  const output = read([bytes], 41).reader.frame(10).outputs.get("nvidia-smi.apps");
  assert.deepEqual(output?.end, { kind: "missing" });
  assert.deepEqual([output.stdout, output.stderr.slice(0, 9)], ["", "warning !"]);
});

test("what a brief part printed ends with a newline where it ended by itself, and only there", () => {
  const told = (status: number, printed: string): string | undefined => {
    const frame = `\n@${NONCE} q a\n\n@${NONCE} o a ${status}\n${printed}\n@${NONCE} z 1\n`;
    return read([Buffer.from(frame)], 1)
      .reader.frame(10)
      .outputs.get("a")?.stdout;
  };
  assert.equal(told(0, "1, 45"), "1, 45\n");
  assert.equal(told(9, "no driver"), "no driver\n");
  assert.equal(told(0, ""), "");
  assert.equal(told(124, "1, 45"), "1, 45", "it may have been 4567");
  assert.equal(told(137, "1, 45"), "1, 45");
});

test("a part that says more than is read costs itself alone", () => {
  const flood = "613\n".repeat(100_001);
  const late = [`\n@${NONCE} q b\n`, `\n@${NONCE} o b 0\n${flood}`, `\n@${NONCE} p c\n${flood}`].join("");
  const text = `\n@${NONCE} p a\n${flood}\n@${NONCE} x a 124\n${late}`;
  const rest = `\n@${NONCE} x c 0\n\n@${NONCE} p d\na row\n\n@${NONCE} x d 0\n\n@${NONCE} z 3\n`;
  const told = { stdout: "", stderr: "", end: { kind: "flooded", what: "more than 100000 lines" } };
  const { reader, ends } = read([Buffer.from(text), Buffer.from(rest)], 3);
  assert.deepEqual(ends, [false, true]);
  const { outputs } = reader.frame(10);
  assert.deepEqual(
    outputs,
    new Map<string, object>([
      ["a", told],
      ["b", told],
      ["c", told],
      ["d", { stdout: "a row\n", stderr: "", end: { kind: "exit", code: 0 } }],
    ]),
  );
  const complaint = [`\n@${NONCE} q b\n${flood}`, `\n@${NONCE} o b 9\n\n@${NONCE} z 3\n`].join("");
  const complained = read([Buffer.from(complaint)], 3)
    .reader.frame(10)
    .outputs.get("b");
  assert.deepEqual(complained, { stdout: "", stderr: flood.slice(0, 2000), end: { kind: "exit", code: 9 } });
  // The shell hangs in one that has not ended: that is what is to be known of it.
  const cutOff = read([Buffer.from(text)], 3).reader.frame(10).outputs;
  assert.deepEqual(cutOff.get("c"), { stdout: "", stderr: "", end: { kind: "missing" } });
});

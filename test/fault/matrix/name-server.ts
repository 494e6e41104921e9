/**
 * A name server for the fault matrix, as a program of its own: it runs in another network namespace. Its arguments are
 * NAME=ANSWER: addresses with commas between, `servfail`, `nxdomain`, `nothing` (no answer ever), or `slow:` before
 * addresses that take 3 s.
 */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

const SLOW_MS = 3000;
/** Types and codes of RFC 1035 and RFC 3596. */
const TYPES = { a: 1, aaaa: 28 };
const CODES: Readonly<Record<string, number>> = { servfail: 2, nxdomain: 3 };
const HEAD_BYTES = 12;

const answers = new Map(
  process.argv.slice(2).map((arg) => {
    const [name = "", ...answer] = arg.split("=");
    return [name, answer.join("=")] as const;
  }),
);

interface Question {
  readonly name: string;
  readonly type: number;
  /** Its bytes, which the answer repeats. */
  readonly bytes: Buffer;
}

function questionOf(query: Buffer): Question {
  const labels: string[] = [];
  let at = HEAD_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return {
    name: labels.join(".").toLowerCase(),
    type: query.readUInt16BE(at + 1),
    bytes: query.subarray(HEAD_BYTES, at + 5),
  };
}

function packed(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const [left = "", right = ""] = address.split("::");
  const head = left.split(":");
  const tail = right.split(":");
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Buffer.concat(groups.map((group) => Buffer.from(group.padStart(4, "0"), "hex")));
}

function reply(query: Buffer, { bytes, type }: Question, code: number, addresses: readonly string[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  query.copy(head, 0, 0, 2);
  // A response, with recursion desired and available.
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const data = packed(address);
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc000 | HEAD_BYTES, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(1, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, bytes, ...records]);
}

const server = createSocket("udp4");
server.on("message", (query, { port, address }) => {
  const question = questionOf(query);
  const answer = answers.get(question.name) ?? "nxdomain";
  if (answer === "nothing") return;
  const list = answer.replace(/^slow:/, "");
  const code = CODES[list] ?? 0;
  const family = question.type === TYPES.aaaa;
  const isAsked = question.type === TYPES.a || family;
  const addresses = code === 0 && isAsked ? list.split(",").filter((each) => isIPv6(each) === family) : [];
  const message = reply(query, question, code, addresses);
  setTimeout(() => server.send(message, port, address), answer.startsWith("slow:") ? SLOW_MS : 0);
});
server.bind(53, "127.0.0.1", () => process.stdout.write("ready\n"));

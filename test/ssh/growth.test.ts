/** The cost of every parser of ssh files and of server output is linear in the length of the text. */
import { describe, test } from "node:test";
import { FrameReader } from "../../src/remote/frame.js";
import { lexLine } from "../../src/ssh/config/lexer.js";
import { Greeting } from "../../src/ssh/dial/greeting.js";
import { parseKnownHosts } from "../../src/ssh/known-hosts/parse.js";
import { indexRevokedKeys } from "../../src/ssh/known-hosts/revoked.js";
import { OpensshLog } from "../../src/ssh/openssh/log.js";
import { readHostfileLines } from "../../src/targets/hostfile.js";
import { assertTextLinear } from "../support/growth.js";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEEcHCZwVaLmHzhDmfJpAnd2HpBa1qYmpfbQ0w2VjZWs";
const NONCE = "0123456789abcdef";

interface Parser {
  readonly what: string;
  readonly recordings: readonly string[];
  read(text: string): unknown;
}

const PARSERS: readonly Parser[] = [
  {
    what: "a line of ssh_config",
    recordings: ["  ProxyCommand = nc -X 5 %h %p", 'SendEnv "LANG" LC_* # comment'],
    read: (text) => text.split("\n", 1000).map(lexLine),
  },
  {
    what: "known_hosts",
    recordings: [`host,10.0.0.1 ${KEY} comment\n|1|c2FsdA==|ZGlnZXN0|x ${KEY}\n@revoked *.a,!b.a\t${KEY}\n`],
    read: (text) => parseKnownHosts(text, "known_hosts"),
  },
  {
    what: "a list of revoked keys",
    recordings: [`${KEY} comment\n# comment\nsha256: SHA256:x\n`],
    read: (text) => indexRevokedKeys(text, "revoked"),
  },
  {
    what: "a hostfile",
    recordings: ['admin@dgx-02:2222   rack=r12 owner="Vision group"   # labels\nroot@[2001:db8::7]:22\n'],
    read: (text) => [...readHostfileLines(text, "hosts")],
  },
  {
    what: "a server's greeting",
    recordings: ["text of a banner\r\nmore\r\nSSH-2.0-OpenSSH_9.2\r\n"],
    read: (text) => new Greeting().take(Buffer.from(text)),
  },
  {
    what: "a server's greeting in small chunks",
    recordings: ["text of a banner\r\nmore\r\n"],
    read(text) {
      const greeting = new Greeting();
      for (const chunk of chunks(Buffer.from(text), 16)) if (greeting.take(chunk) !== "incomplete") break;
    },
  },
  {
    what: "the log of ssh",
    recordings: [
      "debug1: Offering public key: /home/a b/.ssh/id ED25519 SHA256:abc agent\nPermission denied (publickey).\n",
    ],
    read: (text) => new OpensshLog().push(text),
  },
  {
    what: "a frame",
    recordings: [
      `text\n@${NONCE} v timeout Linux\n\n@${NONCE} p a.b\n1\n\n@${NONCE} e a.b\n2\n\n@${NONCE} x a.b 0\n`,
      `\n@${NONCE} q c.d\n\n@${NONCE} o c.d 0\n1\n2`,
    ],
    read(text) {
      const reader = new FrameReader(NONCE);
      reader.begin(1);
      const bytes = Buffer.from(text);
      for (let offset = 0; offset < bytes.length; offset += 1000)
        reader.push(bytes.subarray(offset, offset + 1000), offset);
      reader.frame(10);
      reader.preamble();
    },
  },
];

function* chunks(bytes: Buffer, length: number): Generator<Buffer, void> {
  for (let offset = 0; offset < bytes.length; offset += length) yield bytes.subarray(offset, offset + length);
}

describe("the cost of parsing is linear", () => {
  for (const parser of PARSERS)
    test(parser.what, () => {
      assertTextLinear(parser.recordings, (text) => parser.read(text));
    });
});

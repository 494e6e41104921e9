/** Encrypted streams with flipped, cut and doubled bytes: what is decrypted is what was sent, up to the first change. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pick, type Random } from "./mutate.js";
import type { Subject } from "./parser-subjects.js";

interface Decipher {
  decrypt(data: Buffer, at: number, length: number): number;
  free(): void;
}
interface Cipher {
  allocPacket(length: number): Buffer;
  encrypt(packet: Buffer): void;
}
/** ssh2's inner module; its package names no exports, so that all of its files can be loaded. */
interface CryptoModule {
  readonly init: Promise<void>;
  readonly CIPHER_INFO: Readonly<Record<string, { readonly keyLen: number; readonly ivLen: number }>>;
  readonly MAC_INFO: Readonly<Record<string, { readonly len: number }>>;
  readonly createCipher: (config: object) => Cipher;
  readonly createDecipher: (config: object) => Decipher;
}

const SUITES: readonly (readonly [cipher: string, mac: string | null])[] = [
  ["aes128-gcm@openssh.com", null],
  ["chacha20-poly1305@openssh.com", null],
  ["aes256-ctr", "hmac-sha2-256"],
  ["aes128-ctr", "hmac-sha2-512-etm@openssh.com"],
];

/** A subject for each cipher. `messages`: the payloads that are sent. */
export async function packetSubjects(messages: readonly Buffer[]): Promise<readonly Subject[]> {
  const crypto = createRequire(import.meta.url)("ssh2/lib/protocol/crypto.js") as CryptoModule;
  await crypto.init;
  return SUITES.map(([cipher, mac]) => suiteSubject(crypto, cipher, mac, messages));
}

function suiteSubject(
  { CIPHER_INFO, MAC_INFO, createCipher, createDecipher }: CryptoModule,
  name: string,
  macName: string | null,
  messages: readonly Buffer[],
): Subject {
  const info = CIPHER_INFO[name];
  assert.ok(info !== undefined, name);
  const macInfo = macName === null ? undefined : MAC_INFO[macName];
  const key = Buffer.alloc(info.keyLen, 7);
  const iv = Buffer.alloc(info.ivLen, 9);
  const macKey = macInfo === undefined ? undefined : Buffer.alloc(macInfo.len, 5);
  const pieces: Buffer[] = [];
  const outbound = { seqno: 0, cipherInfo: info, cipherIV: iv, cipherKey: key, macInfo, macKey };
  const cipher = createCipher({
    outbound: { ...outbound, onWrite: (piece: Buffer) => void pieces.push(Buffer.from(piece)) },
  });
  for (const message of messages) {
    const packet = cipher.allocPacket(message.length);
    packet.set(message, 5);
    cipher.encrypt(packet);
  }
  const stream = Buffer.concat(pieces);
  return {
    name: name.replace(/@.*|-poly1305/g, ""),
    prepare: (random) => {
      const bytes = changedStream(stream, random);
      const sizes = Array.from({ length: 64 }, () => 1 + Math.floor(random() * random() * 4000));
      const run = (): void => {
        const received: Buffer[] = [];
        const inbound = { seqno: 0, decipherInfo: info, decipherIV: iv, decipherKey: key, macInfo, macKey };
        const onPayload = (payload: Buffer): void => void received.push(Buffer.from(payload));
        const decipher = createDecipher({ inbound: { ...inbound, onPayload } });
        // A decipher may decrypt in place.
        const copy = Buffer.from(bytes);
        let error: unknown = null;
        try {
          for (let from = 0, turn = 0; from < copy.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            const piece = copy.subarray(from, from + size);
            for (let at = 0; at < piece.length;) at = decipher.decrypt(piece, at, piece.length);
            from += size;
          }
        } catch (cause) {
          error = cause;
        } finally {
          decipher.free();
        }
        assert.ok(error === null || error instanceof Error, "what is thrown is an Error");
        assert.ok(received.length <= messages.length, "nothing was received twice");
        received.forEach((payload, index) =>
          assert.ok(
            payload.equals(messages[index] ?? Buffer.alloc(0)),
            `message ${index} is not what was sent`,
          ),
        );
        if (bytes.equals(stream)) assert.equal(received.length, messages.length);
      };
      return { run, keep: () => undefined };
    },
  };
}

/** Nought to four changes. */
function changedStream(stream: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(stream);
  for (let left = Math.floor(random() * 5); left > 0; left--) {
    const at = Math.floor(random() * bytes.length);
    const length = 1 + Math.floor(random() * 200);
    const change = pick(random, ["flip", "flip", "flip", "cut", "double", "drop"] as const);
    if (change === "flip") bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    else if (change === "cut") bytes = bytes.subarray(0, at);
    else if (change === "drop") bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
  }
  return bytes;
}

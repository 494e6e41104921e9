/** Messages of SSH, as a server sends them to us: numbers of RFC 4250, section 4.1.2, and their fields. */

type Field = number | string | Buffer | boolean;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A string of RFC 4251, section 5. */
export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Numbers are uint32, texts are strings, booleans a byte; a Buffer is taken as it is. */
export function message(type: number, ...fields: readonly Field[]): Buffer {
  return Buffer.concat([Buffer.from([type]), ...fields.map(bytesOf)]);
}

function bytesOf(field: Field): Buffer {
  if (typeof field === "number") return uint32(field);
  if (typeof field === "string") return text(field);
  return typeof field === "boolean" ? Buffer.from([field ? 1 : 0]) : field;
}

export const globalRequest = (name: string, rest: Buffer = Buffer.alloc(0)): Buffer =>
  message(80, name, true, rest);
export const data = (channel: number, content: string | Buffer): Buffer =>
  message(94, channel, text(content));
export const extendedData = (channel: number, type: number, content: Buffer): Buffer =>
  message(95, channel, type, text(content));
export const windowAdjust = (channel: number, bytes: number): Buffer => message(93, channel, bytes);
export const channelRequest = (
  channel: number,
  type: string,
  wantsReply: boolean,
  ...rest: Field[]
): Buffer => message(98, channel, type, wantsReply, ...rest);

/** 300 keys of Ed25519, as `hostkeys-00` announces them (OpenSSH's PROTOCOL, 2.5). */
export const ANNOUNCED_KEYS = Buffer.concat(
  Array.from({ length: 300 }, (_, index) =>
    text(Buffer.concat([text("ssh-ed25519"), text(Buffer.alloc(32, index % 251))])),
  ),
);

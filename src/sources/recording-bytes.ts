/** The bytes of a recording as text: compressed ones are decompressed on the way, whatever their name ends with. */
import { pipeline, type Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { UsageError } from "../contract/errors.js";

/** RFC 1952, section 2.3.1. */
const GZIP = Buffer.from([0x1f, 0x8b]);
/** RFC 8878, section 3.1.1. */
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** 128 MiB, all-smi's own limit (src/record/replay.rs): what a decoder may hold of a stream. */
const MAX_ZSTD_WINDOW_LOG = 27;

/** What Node.js has from 22.15 on. */
interface WithZstd {
  readonly createZstdDecompress?: (options: object) => Transform;
  readonly constants: Readonly<Record<string, number>>;
}

/**
 * A file that ends in the middle gives what it holds: a recorder may have been killed. Throws UsageError for zstd where this
 * Node.js cannot read it, and the stream's own error. No more than some chunks are held, however much comes out of them.
 */
export async function* recordingBytes(source: Readable, name: string): AsyncGenerator<Buffer, void> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
  let head = Buffer.alloc(0);
  while (head.length < ZSTD.length) {
    const step = await chunks.next();
    if (step.done === true) break;
    head = Buffer.concat([head, step.value]);
  }
  const all = joined(head, chunks);
  const decoder = decoderFor(head, name);
  if (decoder === null) yield* all;
  else {
    // Its error is the decoder's, too, which is thrown below.
    pipeline(all, decoder, () => undefined);
    yield* decoder as AsyncIterable<Buffer>;
  }
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer, void>): AsyncGenerator<Buffer, void> {
  if (head.length > 0) yield head;
  for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
}

/** Null for plain text. */
function decoderFor(head: Buffer, name: string): Transform | null {
  if (head.subarray(0, GZIP.length).equals(GZIP))
    return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
  if (!head.subarray(0, ZSTD.length).equals(ZSTD)) return null;
  const { createZstdDecompress, constants } = zlib as unknown as WithZstd;
  if (createZstdDecompress === undefined) {
    const file = name.startsWith("<") ? "FILE" : name;
    throw new UsageError(
      [
        `--replay: ${name} is compressed with zstd, which Node.js ${process.versions.node} cannot read and 22.15 can; ` +
          `or use: zstd -dc ${file} | allsmi-ssh --replay -`,
      ],
      false,
    );
  }
  const { ZSTD_e_flush: finishFlush, ZSTD_d_windowLogMax: windowLogMax } = constants;
  const params = windowLogMax === undefined ? {} : { [windowLogMax]: MAX_ZSTD_WINDOW_LOG };
  return createZstdDecompress({ params, finishFlush });
}

/** `--listen [ADDR:]PORT`: an address or a name, IPv6 in brackets, and a port. */
import type { ListenAddress } from "../contract/options.js";
import { cleanText } from "../lib/text.js";
import type { FlagReader } from "./flag-reader.js";

const LOOPBACK = "127.0.0.1";
const MAX_PORT = 65_535;
const FORM = /^(?:(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([A-Za-z0-9._-]+)):)?(\d{1,5})$/;

/** Null where the flag is not given. */
export function readListen(reader: FlagReader): ListenAddress | null {
  const text = reader.text("listen");
  if (text === null) return null;
  const address = parseListen(text);
  if (address === null)
    reader.problems.add(
      `--listen: "${cleanText(text)}" is not [ADDR:]PORT; write 9400, 10.0.0.1:9400 or [::1]:9400, and for all addresses 0.0.0.0:9400 or [::]:9400`,
    );
  return address;
}

/** Null where it is none. An empty address is none: elsewhere `:9400` means all addresses, and here it would not. */
function parseListen(text: string): ListenAddress | null {
  const [, inBrackets, plain, digits] = FORM.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > MAX_PORT) return null;
  return { host: inBrackets ?? plain ?? LOOPBACK, port };
}

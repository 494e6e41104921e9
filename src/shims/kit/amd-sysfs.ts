/**
 * What the amdgpu driver reports of its cards in /sys, for both of AMD's tools. Source: the kernel's documentation,
 * "AMDGPU RAS Support" (gpu_vram_bad_pages, umc_err_count), "Misc AMDGPU driver information" (pcie_replay_count) and
 * "GPU Power/Thermal Controls" (in0_input).
 */
import type { Gpu } from "../../contract/record.js";
import { integerCell, presentTexts } from "./cells.js";
import type { Part } from "./shim.js";

const DEVICES = "/sys/bus/pci/devices/";
const BAD_PAGES = "ras/gpu_vram_bad_pages";
const ERRORS = "ras/umc_err_count";
const VOLTAGE = "in0_input";
const REPLAYS = "pcie_replay_count";

// The shell puts in the addresses of all devices.
const ERRORS_GLOB = `$q/${ERRORS}`;
const VOLTAGE_GLOB = `$q/hwmon/hwmon*/${VOLTAGE}`;
const REPLAYS_GLOB = `$q/${REPLAYS}`;

/** A line of grep: address of the device, name of the file, text of the line. */
const LINE = new RegExp(
  `^${DEVICES}([0-9a-fA-F:.]{7,16})/(?:hwmon/hwmon\\d+/)?(${BAD_PAGES}|${ERRORS}|${VOLTAGE}|${REPLAYS}):(.*)$`,
);

/**
 * The part that reads the files: two programs for all cards together. Good pages are counted on the host, so the output
 * stays small. The count comes last and only if the first program was not killed: without it, nothing is known.
 * `withErrors`: memory errors, voltage and PCIe replays too, for a tool that does not print them.
 */
export function amdSysfsPart(id: string, withErrors: boolean): Part {
  const more = withErrors ? ` -e "^[uc]e:" -e "^[0-9]*$" ${ERRORS_GLOB} ${VOLTAGE_GLOB} ${REPLAYS_GLOB}` : "";
  const command =
    `q=${DEVICES}*; b grep -s -e ": [PF]"${more} /dev/null $q/${BAD_PAGES}; ` +
    `if [ $? -le 2 ]; then b grep -s -c : /dev/null $q/${BAD_PAGES}; fi; true`;
  return { id, kind: "shell", command };
}

/** A card's own values; null where its file is not there. */
export interface AmdSysfs {
  readonly badPages: BadPages | null;
  readonly corrected: number | null;
  readonly uncorrected: number | null;
  readonly millivolts: number | null;
  readonly replays: number | null;
}

/** Pages of the card's memory that failed. */
interface BadPages {
  /** No longer in use. */
  readonly retired: number;
  /** Marked as bad and still in use. */
  readonly pending: number;
  /** Could not be taken out of use. */
  readonly unreservable: number;
}

/** By PCI address in lower case. */
export type AmdSysfsCards = ReadonlyMap<string, AmdSysfs>;

export function amdSysfsIn(stdout: string): AmdSysfsCards {
  const texts = new Map<string, Map<string, string[]>>();
  for (const line of stdout.split("\n")) {
    const [, address = "", file = "", text = ""] = LINE.exec(line) ?? [];
    if (address === "") continue;
    const card = texts.get(address.toLowerCase()) ?? new Map<string, string[]>();
    texts.set(address.toLowerCase(), card);
    const lines = card.get(file);
    if (lines === undefined) card.set(file, [text]);
    else lines.push(text);
  }
  return new Map(
    [...texts].map(([address, card]) => [
      address,
      {
        badPages: badPagesIn(card.get(BAD_PAGES) ?? []),
        corrected: countIn(card.get(ERRORS) ?? [], "ce"),
        uncorrected: countIn(card.get(ERRORS) ?? [], "ue"),
        millivolts: integerCell(card.get(VOLTAGE)?.[0]),
        replays: integerCell(card.get(REPLAYS)?.[0]),
      },
    ]),
  );
}

/** `0x00000002 : 0x00001000 : P` of each page that is not simply retired, and the number of all pages. */
function badPagesIn(lines: readonly string[]): BadPages | null {
  const total = lines.map(integerCell).find((count) => count !== null);
  if (total === undefined) return null;
  const flagged = (flag: string): number => lines.filter((line) => line.endsWith(` : ${flag}`)).length;
  const [pending, unreservable] = [flagged("P"), flagged("F")];
  return { retired: Math.max(0, total - pending - unreservable), pending, unreservable };
}

/** `ue: 0`, `ce: 1` */
function countIn(lines: readonly string[], kind: "ce" | "ue"): number | null {
  const line = lines.find((one) => one.startsWith(`${kind}:`));
  return integerCell(line?.slice(kind.length + 1).trim());
}

/** The bad pages for `detail`, by the names that `amd-smi bad-pages` has for them. */
export function badPageTexts(pages: BadPages | null | undefined): Gpu["detail"] {
  const text = (count: number | undefined): string | null => (count === undefined ? null : String(count));
  return presentTexts({
    bad_pages_retired: text(pages?.retired),
    bad_pages_pending: text(pages?.pending),
    bad_pages_unreservable: text(pages?.unreservable),
  });
}

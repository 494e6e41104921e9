/** The section `network` of a Linux host: network cards, bonds, and the ports of InfiniBand and RoCE devices, from /sys. */
import type { NetworkPort } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import type { Part } from "../shims/kit/shim.js";
import { wholeNumber } from "./numbers.js";
import { filesIn, textIn } from "./sys-files.js";

type Files = ReadonlyMap<string, readonly string[]>;
type Port = Omit<NetworkPort, "index">;

const STATISTICS = ["rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped"] as const;
// Documentation/ABI/testing/sysfs-class-net and -statistics. `device` is there for hardware only, `bonding` for bonds.
const CARD_FILES = [
  ...["operstate", "speed", "mtu", "type", "carrier_changes", "bonding/mode", "device/uevent"],
  ...STATISTICS.map((name) => `statistics/${name}`),
].map((file) => `/sys/class/net/*/${file}`);
// Documentation/ABI/stable/sysfs-class-infiniband.
const COUNTERS = {
  rx_errors: "port_rcv_errors",
  tx_dropped: "port_xmit_discards",
  link_downed: "link_downed",
  link_error_recovery: "link_error_recovery",
  symbol_errors: "symbol_error",
} as const;
const PORT_FILES = [
  ...["state", "phys_state", "rate", "counters/port_rcv_data", "counters/port_xmit_data"],
  ...Object.values(COUNTERS).map((name) => `counters/${name}`),
].map((file) => `/sys/class/infiniband/*/ports/*/${file}`);

export const NETWORK: Part = {
  id: "host.network",
  kind: "shell",
  command: `b grep -s "" /dev/null ${[...CARD_FILES, ...PORT_FILES, "/sys/class/infiniband/*/device/uevent"].join(" ")}`,
};

/** `stdout`: of NETWORK. Cards first, then the ports of InfiniBand devices; neither virtual interfaces nor loopback. */
export function parseNetwork(stdout: string): readonly NetworkPort[] {
  const files = filesIn(stdout.split("\n"));
  return [...cards(files), ...infinibandPorts(files)].map((port, index) => ({ index, ...port }));
}

/** linux/if_arp.h, ARPHRD_INFINIBAND: IP over InfiniBand, a virtual interface of a port that is listed itself. */
const IP_OVER_INFINIBAND = 32;

function cards(files: Files): readonly Port[] {
  const names = namesIn(files, /^\/sys\/class\/net\/([^/]{1,15})\/(?:device\/uevent|bonding\/mode)$/);
  return names.flatMap((name): readonly Port[] => {
    const text = (file: string): string | null => textIn(files, `/sys/class/net/${name}/${file}`);
    const count = (file: string): number | null => wholeNumber(text(file) ?? "");
    if (count("type") === IP_OVER_INFINIBAND) return [];
    const statistic = (key: (typeof STATISTICS)[number]): number | null => count(`statistics/${key}`);
    return [
      {
        name: cleanText(name),
        kind: text("bonding/mode") === null ? "ethernet" : "bond",
        state: text("operstate"),
        ...hardware(files, `/sys/class/net/${name}`),
        // -1 where the driver does not know it, and 0 for a link that is down.
        speed_mbps: positive(count("speed")),
        mtu: count("mtu"),
        rx_bytes: statistic("rx_bytes"),
        tx_bytes: statistic("tx_bytes"),
        rx_errors: statistic("rx_errors"),
        tx_errors: statistic("tx_errors"),
        rx_dropped: statistic("rx_dropped"),
        tx_dropped: statistic("tx_dropped"),
        carrier_changes: count("carrier_changes"),
      },
    ];
  });
}

/** Data counters are in units of four bytes; errors of sending and drops of receiving have no counter. */
const BYTES_PER_UNIT = 4;

function infinibandPorts(files: Files): readonly Port[] {
  const names = namesIn(files, /^\/sys\/class\/infiniband\/([^/]{1,64}\/ports\/\d{1,3})\/state$/);
  return names.map((name): Port => {
    const [device = ""] = name.split("/");
    const text = (file: string): string | null => textIn(files, `/sys/class/infiniband/${name}/${file}`);
    const count = (file: string): number | null => wholeNumber(text(`counters/${file}`) ?? "");
    const bytes = (file: string): number | null => safe(count(file), BYTES_PER_UNIT);
    return {
      name: cleanText(name.replace("/ports/", "/")),
      kind: "infiniband",
      state: named(text("state")),
      physical_state: named(text("phys_state")),
      ...hardware(files, `/sys/class/infiniband/${device}`),
      speed_mbps: rate(text("rate")),
      mtu: null,
      rx_bytes: bytes("port_rcv_data"),
      tx_bytes: bytes("port_xmit_data"),
      rx_errors: count(COUNTERS.rx_errors),
      tx_errors: null,
      rx_dropped: null,
      tx_dropped: count(COUNTERS.tx_dropped),
      link_downed: count(COUNTERS.link_downed),
      link_error_recovery: count(COUNTERS.link_error_recovery),
      symbol_errors: count(COUNTERS.symbol_errors),
    };
  });
}

function namesIn(files: Files, pattern: RegExp): readonly string[] {
  const names = [...files.keys()].flatMap((path) => pattern.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** `DRIVER=mlx5_core` and `PCI_SLOT_NAME=0000:18:00.0` of the device's uevent. */
function hardware(files: Files, path: string): Pick<Port, "driver" | "pci_bus_id"> {
  const lines = files.get(`${path}/device/uevent`) ?? [];
  const value = (key: string): string | null =>
    lines.map((line) => new RegExp(`^${key}=([\\w.:-]{1,64})$`).exec(line)?.[1]).find((each) => each) ?? null;
  return { driver: value("DRIVER"), pci_bus_id: value("PCI_SLOT_NAME") };
}

/** `4: ACTIVE`. */
function named(text: string | null): string | null {
  return text?.replace(/^\d+:\s*/, "") ?? null;
}

/** `400 Gb/sec (4X NDR)`, `2.5 Gb/sec (1X SDR)`. */
function rate(text: string | null): number | null {
  const match = /^(\d{1,5}(?:\.\d{1,3})?) Gb\/sec/.exec(text ?? "");
  return match === null ? null : positive(Number(match[1]) * 1000);
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function safe(value: number | null, factor: number): number | null {
  return value !== null && Number.isSafeInteger(value * factor) ? value * factor : null;
}

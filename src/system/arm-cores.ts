/** Names of ARM cores by implementer and part number, as in util-linux's lscpu-arm.c and Linux's asm/cputype.h. */

const CORES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  // ARM
  0x41: {
    0xb76: "ARM1176",
    0xc05: "Cortex-A5",
    0xc07: "Cortex-A7",
    0xc08: "Cortex-A8",
    0xc09: "Cortex-A9",
    0xc0d: "Cortex-A17",
    0xc0e: "Cortex-A17",
    0xc0f: "Cortex-A15",
    0xd02: "Cortex-A34",
    0xd03: "Cortex-A53",
    0xd04: "Cortex-A35",
    0xd05: "Cortex-A55",
    0xd06: "Cortex-A65",
    0xd07: "Cortex-A57",
    0xd08: "Cortex-A72",
    0xd09: "Cortex-A73",
    0xd0a: "Cortex-A75",
    0xd0b: "Cortex-A76",
    0xd0c: "Neoverse-N1",
    0xd0d: "Cortex-A77",
    0xd0e: "Cortex-A76AE",
    0xd40: "Neoverse-V1",
    0xd41: "Cortex-A78",
    0xd42: "Cortex-A78AE",
    0xd43: "Cortex-A65AE",
    0xd44: "Cortex-X1",
    0xd46: "Cortex-A510",
    0xd47: "Cortex-A710",
    0xd48: "Cortex-X2",
    0xd49: "Neoverse-N2",
    0xd4a: "Neoverse-E1",
    0xd4b: "Cortex-A78C",
    0xd4c: "Cortex-X1C",
    0xd4d: "Cortex-A715",
    0xd4e: "Cortex-X3",
    0xd4f: "Neoverse-V2",
    0xd80: "Cortex-A520",
    0xd81: "Cortex-A720",
    0xd82: "Cortex-X4",
    0xd83: "Neoverse-V3AE",
    0xd84: "Neoverse-V3",
    0xd85: "Cortex-X925",
    0xd87: "Cortex-A725",
    0xd88: "Cortex-A520AE",
    0xd89: "Cortex-A720AE",
    0xd8e: "Neoverse-N3",
  },
  // Broadcom, Cavium (since bought by Marvell)
  0x42: { 0x0f: "Brahma-B15", 0x100: "Brahma-B53", 0x516: "ThunderX2" },
  0x43: { 0xa1: "ThunderX-88XX", 0xa2: "ThunderX-81XX", 0xa3: "ThunderX-83XX", 0xaf: "ThunderX2-99xx" },
  0x46: { 0x1: "A64FX", 0x3: "MONAKA" },
  0x48: { 0xd01: "TaiShan-v110", 0xd02: "TaiShan-v120" },
  0x4e: { 0x0: "Denver", 0x3: "Denver 2", 0x4: "Carmel", 0x10: "Olympus" },
  0x50: { 0x0: "X-Gene" },
  0x51: { 0x1: "Oryon", 0xc00: "Falkor", 0xc01: "Saphira" },
  0x61: {
    0x22: "Icestorm (M1)",
    0x23: "Firestorm (M1)",
    0x24: "Icestorm (M1 Pro)",
    0x25: "Firestorm (M1 Pro)",
    0x28: "Icestorm (M1 Max)",
    0x29: "Firestorm (M1 Max)",
    0x32: "Blizzard (M2)",
    0x33: "Avalanche (M2)",
  },
  0x70: {
    0x303: "FTC310",
    0x660: "FTC660",
    0x661: "FTC661",
    0x662: "FTC662",
    0x663: "FTC663",
    0x664: "FTC664",
  },
  0xc0: { 0xac3: "Ampere-1", 0xac4: "Ampere-1a", 0xac5: "Ampere-1b" },
};

const IMPLEMENTERS: Readonly<Record<number, string>> = {
  0x41: "ARM",
  0x42: "Broadcom",
  0x43: "Cavium",
  0x46: "FUJITSU",
  0x48: "HiSilicon",
  0x4e: "NVIDIA",
  0x50: "APM",
  0x51: "Qualcomm",
  0x53: "Samsung",
  0x56: "Marvell",
  0x61: "Apple",
  0x69: "Intel",
  0x6d: "Microsoft",
  0x70: "Phytium",
  0xc0: "Ampere",
};

/** `implementer` and `part` as in /proc/cpuinfo (`0x41`, `0xd0c`). Null for an unknown implementer or a malformed part. */
export function armCoreName(implementer: string, part: string): string | null {
  const [maker, core] = [Number(implementer), Number(part)];
  const name = CORES[maker]?.[core];
  if (name !== undefined) return name;
  const known = IMPLEMENTERS[maker];
  return known === undefined || !/^0x[0-9a-f]{1,4}$/i.test(part) ? null : `${known} core ${part}`;
}

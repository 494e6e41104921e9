/** GPUs as the kernel's files show them, made by hand from its documentation, for fake trees of /sys. */

/** Paths below the device's folder, and their text without the last newline. */
export interface FakeDevice {
  readonly address: string;
  readonly driver: string;
  readonly files: Readonly<Record<string, string>>;
}

/** An Instinct MI210: passive, with ECC. */
export function mi210(
  address: string,
  card: number,
  files: Readonly<Record<string, string>> = {},
): FakeDevice {
  return device(address, "amdgpu", "0x1002", "0x740f", card, {
    product_name: "AMD INSTINCT MI210 (MCM) OAM LC MBA",
    serial_number: "692251001124",
    unique_id: "b2c35a84e6c9d1f7",
    vbios_version: "113-D67301V-073",
    numa_node: "1",
    gpu_busy_percent: "97",
    mem_busy_percent: "31",
    mem_info_vram_total: "68702699520",
    mem_info_vram_used: "53687091200",
    mem_info_gtt_total: "540927676416",
    mem_info_gtt_used: "14680064",
    pcie_replay_count: "2",
    current_link_speed: "16.0 GT/s PCIe",
    current_link_width: "16",
    "hwmon/hwmon4/name": "amdgpu",
    "hwmon/hwmon4/temp1_input": "61000",
    "hwmon/hwmon4/temp2_input": "74000",
    "hwmon/hwmon4/temp3_input": "66000",
    "hwmon/hwmon4/power1_average": "221000000",
    "hwmon/hwmon4/power1_cap": "300000000",
    "hwmon/hwmon4/freq1_input": "1700000000",
    "hwmon/hwmon4/freq2_input": "1600000000",
    "ras/umc_err_count": "ue: 0\nce: 3",
    ...files,
  });
}

/** The graphics of a Ryzen: no memory of its own, no fan, the power of the whole package. */
export function ryzenApu(address: string, card: number): FakeDevice {
  return device(address, "amdgpu", "0x1002", "0x1638", card, {
    unique_id: "0000000000000000",
    vbios_version: "113-CEZANNE-018",
    numa_node: "-1",
    gpu_busy_percent: "4",
    mem_info_vram_total: "536870912",
    mem_info_vram_used: "134217728",
    mem_info_gtt_total: "16106127360",
    mem_info_gtt_used: "402653184",
    current_link_speed: "8.0 GT/s PCIe",
    current_link_width: "16",
    pp_dpm_mclk: "0: 400Mhz\n1: 933Mhz *\n2: 1067Mhz",
    "hwmon/hwmon2/name": "amdgpu",
    "hwmon/hwmon2/temp1_input": "47000",
    "hwmon/hwmon2/in1_label": "vddnb",
    "hwmon/hwmon2/power1_average": "11012000",
    "hwmon/hwmon2/freq1_input": "400000000",
  });
}

/** An Arc A770 that i915 drives: the hwmon of the card, and one of its GT that counts another energy. */
export function arcI915(address: string, card: number, microjoules: string): FakeDevice {
  return device(address, "i915", "0x8086", "0x56a0", card, {
    numa_node: "-1",
    current_link_speed: "16.0 GT/s PCIe",
    current_link_width: "16",
    "hwmon/hwmon5/name": "i915",
    "hwmon/hwmon5/energy1_input": microjoules,
    "hwmon/hwmon5/power1_max": "190000000",
    "hwmon/hwmon5/fan1_input": "1180",
    "hwmon/hwmon6/name": "i915_gt0",
    "hwmon/hwmon6/energy1_input": "77",
    [`drm/card${card}/gt/gt0/rps_act_freq_mhz`]: "2400",
    [`drm/card${card}/gt_act_freq_mhz`]: "1",
  });
}

/** A Battlemage card that xe drives. */
export function battlemageXe(address: string, card: number, microjoules: string): FakeDevice {
  return device(address, "xe", "0x8086", "0xe20b", card, {
    numa_node: "0",
    current_link_speed: "Unknown",
    current_link_width: "0",
    "hwmon/hwmon3/name": "xe",
    "hwmon/hwmon3/energy1_input": microjoules,
    "hwmon/hwmon3/energy2_input": "5",
    "hwmon/hwmon3/power1_max": "0",
    "hwmon/hwmon3/power2_max": "150000000",
    "hwmon/hwmon3/temp2_input": "52000",
    "hwmon/hwmon3/temp3_input": "58000",
    "tile0/gt0/freq0/act_freq": "2850",
    "tile0/physical_vram_size_bytes": "12884901888",
  });
}

/** The graphics of an Intel processor with a kernel before 5.18. */
export function intelIntegrated(status = "active"): FakeDevice {
  return device("0000:00:02.0", "i915", "0x8086", "0x3e98", 0, {
    numa_node: "-1",
    "power/runtime_status": status,
    "drm/card0/gt_act_freq_mhz": "350",
  });
}

export function device(
  address: string,
  driver: string,
  vendor: string,
  id: string,
  card: number,
  files: Readonly<Record<string, string>>,
): FakeDevice {
  const common = { vendor, device: id, class: "0x030000", "power/runtime_status": "active" };
  return { address, driver, files: { ...common, [`drm/card${card}/dev`]: `226:${card}`, ...files } };
}

/** The files of these devices by absolute path, with a driver's own files beside them. */
export function sysfsTree(devices: readonly FakeDevice[]): Record<string, string> {
  const files: Record<string, string> = { "/proc/uptime": "1000.00 900.00\n" };
  for (const { address, driver, files: own } of devices) {
    const folder = `/sys/bus/pci/drivers/${driver}`;
    files[`${folder}/bind`] = "";
    files[`${folder}/module`] = "";
    for (const [name, text] of Object.entries(own)) files[`${folder}/${address}/${name}`] = `${text}\n`;
  }
  return files;
}

/** As much of a pci.ids as these devices need, with entries beside them that look alike. */
export const PCI_IDS = `#
# List of PCI ID's
1000  Broadcom / LSI
	740f  A disk controller
1002  Advanced Micro Devices, Inc. [AMD/ATI]
	1638  Cezanne [Radeon Vega Series / Radeon Vega Mobile Series]
	740c  Aldebaran/MI200 [Instinct MI250X/MI250]
	740f  Aldebaran/MI200 [Instinct MI210]
		1002 0c34  Instinct MI210
10de  NVIDIA Corporation
	28a0  AD107M [GeForce RTX 4060 Max-Q / Mobile]
8086  Intel Corporation
	3e98  CoffeeLake-S GT2 [UHD Graphics 630]
	56a0  DG2 [Arc A770]
	e20b  Battlemage G21 [Arc B580]
C 03  Display controller
`;

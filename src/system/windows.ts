/**
 * A Windows host's own sections, by one PowerShell command. Over SSH, WMI and the performance counters refuse an account
 * without administrator rights (PowerShell/Win32-OpenSSH issue 2077, "by design"). So everything possible is read from the
 * registry and .NET. CPU load, sockets and cores come from WMI where it is allowed, and are null elsewhere.
 */
import type { Chassis, Cpu, Memory, Section, SectionError, Sections, Storage } from "../contract/record.js";
import { cleanText } from "../lib/text.js";
import { partError } from "../shims/kit/part-output.js";
import type { Part, PartOutputs, Sampler } from "../shims/kit/shim.js";
import type { HostSystem } from "./host-system.js";
import { lessBy, percentOf } from "./numbers.js";

/** Windows PowerShell 5.1, which every Windows since Server 2016 has. Prints one JSON object. */
const SCRIPT = [
  `$ErrorActionPreference="SilentlyContinue";$ProgressPreference="SilentlyContinue"`,
  `[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false`,
  `Add-Type -AssemblyName Microsoft.VisualBasic`,
  `$m=New-Object Microsoft.VisualBasic.Devices.ComputerInfo`,
  `$r="HKLM:\\HARDWARE\\DESCRIPTION\\System"`,
  `$c=Get-ItemProperty "$r\\CentralProcessor\\0";$b=Get-ItemProperty "$r\\BIOS"`,
  `$w=@(Get-CimInstance Win32_Processor -Property LoadPercentage,NumberOfCores,MaxClockSpeed,L3CacheSize)`,
  `$d=@([IO.DriveInfo]::GetDrives()|?{$_.DriveType -eq "Fixed" -and $_.IsReady}|%{@{name=$_.Name;total=$_.TotalSize;free=$_.AvailableFreeSpace}})`,
  `@{model=$c.ProcessorNameString;vendor=$c.VendorIdentifier;mhz=$c."~MHz";threads=[Environment]::ProcessorCount;` +
    `arch=$env:PROCESSOR_ARCHITECTURE;maker=$b.SystemManufacturer;product=$b.SystemProductName;bios=$b.BIOSVersion;` +
    `total=$m.TotalPhysicalMemory;available=$m.AvailablePhysicalMemory;drives=$d;` +
    `sockets=@($w|%{@{load=$_.LoadPercentage;cores=$_.NumberOfCores;max=$_.MaxClockSpeed;l3=$_.L3CacheSize}})}` +
    `|ConvertTo-Json -Compress -Depth 3`,
].join(";");

/** Encoded, since cmd.exe, PowerShell and a POSIX shell quote differently; 8,191 characters is cmd.exe's limit. */
const HOST: Part = {
  id: "host.windows",
  kind: "program",
  command: `powershell -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ${Buffer.from(SCRIPT, "utf16le").toString("base64")}`,
};

const OWN: readonly Section[] = ["cpu", "memory", "chassis", "storage"];

export const windows: HostSystem = {
  id: "windows",
  uname: "Windows_NT",
  probe: parts,
  sampler: (_, include): Sampler => ({
    parts: parts(include),
    parse: (outputs) => read(outputs, include),
  }),
};

function parts(include: ReadonlySet<Section>): readonly Part[] {
  return OWN.some((section) => include.has(section)) ? [HOST] : [];
}

/** Never throws: a section that cannot be read is left out, and has an entry in `errors`. */
function read(outputs: PartOutputs, include: ReadonlySet<Section>): ReturnType<Sampler["parse"]> {
  const output = outputs.get(HOST.id);
  const wanted = OWN.filter((section) => include.has(section));
  const host = jsonObject(output?.stdout ?? "");
  const failed = (section: Section): SectionError =>
    partError(section, "powershell", output) ?? {
      section,
      kind: "parse",
      message: "powershell printed no JSON object",
    };
  if (host === null) return { sections: {}, errors: wanted.map(failed) };
  const memory = memorySection(host);
  const errors = include.has("memory") && memory === null ? [failed("memory")] : [];
  const sections: Sections = {
    ...(include.has("cpu") ? { cpus: [cpuSection(host)] } : {}),
    ...(include.has("memory") && memory !== null ? { memory: [memory] } : {}),
    ...(include.has("chassis") ? { chassis: [chassisSection(host)] } : {}),
    ...(include.has("storage") ? { storage: drives(host) } : {}),
  };
  return { sections, errors };
}

type Fields = ReadonlyMap<string, unknown>;

function fields(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? new Map(Object.entries(value))
    : null;
}

/** The text between the outermost braces: a profile or a banner may have printed something before. */
function jsonObject(stdout: string): Fields | null {
  try {
    return fields(JSON.parse(stdout.slice(stdout.indexOf("{"), stdout.lastIndexOf("}") + 1)));
  } catch {
    return null;
  }
}

/** PowerShell turns a list with one entry into that entry. */
function list(value: unknown): readonly Fields[] {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  return entries.map(fields).filter((entry) => entry !== null);
}

/** A whole number above 0. */
function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? cleanText(value.trim()) : null;
}

const ARCHITECTURES = new Map([
  ["AMD64", "x86_64"],
  ["ARM64", "aarch64"],
  ["x86", "x86"],
]);
const VENDORS = new Map([
  ["GenuineIntel", "Intel"],
  ["AuthenticAMD", "Amd"],
]);

function cpuSection(host: Fields): Cpu {
  const sockets = list(host.get("sockets"));
  const threads = count(host.get("threads"));
  const arch = text(host.get("arch"));
  const loads = sockets.map((socket) => load(socket.get("load")));
  const total = loads.reduce<number | null>(
    (sum, one) => (sum === null || one === null ? null : sum + one),
    0,
  );
  const cores = sum(sockets, "cores");
  const l3 = sum(sockets, "l3");
  return {
    index: 0,
    cpu_model: text(host.get("model")),
    architecture: ARCHITECTURES.get(arch ?? "") ?? arch,
    platform_type:
      VENDORS.get(text(host.get("vendor")) ?? "") ?? (arch === "ARM64" ? "Arm" : { Other: "Unknown" }),
    socket_count: sockets.length > 0 ? sockets.length : null,
    total_cores: threads,
    total_threads: threads,
    base_frequency_mhz: count(host.get("mhz")),
    max_frequency_mhz: count(sockets[0]?.get("max")),
    cache_size_mb: l3 === null ? null : l3 / 1024,
    // WMI's LoadPercentage is the mean of the last second of one socket.
    utilization: total === null || loads.length === 0 ? null : total / loads.length,
    temperature: null,
    power_consumption: null,
    per_socket_info: sockets.map((socket, id) => ({
      socket_id: id,
      utilization: load(socket.get("load")),
      cores: count(socket.get("cores")),
      threads: sockets.length === 1 ? threads : null,
      temperature: null,
      frequency_mhz: null,
    })),
    apple_silicon_info: null,
    per_core_utilization: [],
    physical_cores: cores,
  };
}

function load(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value <= 100 ? value : null;
}

/** Null when there is no socket, or one lacks the value. */
function sum(sockets: readonly Fields[], key: string): number | null {
  const values = sockets.map((socket) => count(socket.get(key)));
  if (values.length === 0) return null;
  return values.reduce((total, value) => (total === null || value === null ? null : total + value));
}

function memorySection(host: Fields): Memory | null {
  const total = count(host.get("total"));
  if (total === null) return null;
  const available = count(host.get("available"));
  const used = lessBy(total, available);
  return {
    index: 0,
    total_bytes: total,
    used_bytes: used,
    available_bytes: available,
    free_bytes: available,
    buffers_bytes: null,
    cached_bytes: null,
    swap_total_bytes: null,
    swap_used_bytes: null,
    swap_free_bytes: null,
    utilization: used === null ? null : percentOf(used, total),
  };
}

function chassisSection(host: Fields): Chassis {
  const detail: Record<string, string> = { platform: "Windows" };
  const named = { Vendor: "maker", "Product Name": "product", "BIOS Version": "bios" };
  for (const [key, field] of Object.entries(named)) {
    const value = text(host.get(field));
    if (value !== null) detail[key] = value;
  }
  return {
    total_power_watts: null,
    inlet_temperature: null,
    outlet_temperature: null,
    thermal_pressure: null,
    fan_speeds: [],
    psu_status: [],
    detail,
  };
}

function drives(host: Fields): readonly Storage[] {
  return list(host.get("drives")).flatMap((drive, index) => {
    const mountPoint = text(drive.get("name"));
    const total = count(drive.get("total"));
    if (mountPoint === null || total === null) return [];
    const free = drive.get("free") === 0 ? 0 : count(drive.get("free"));
    return [
      {
        index,
        mount_point: mountPoint,
        total_bytes: total,
        available_bytes: free,
        used_bytes: lessBy(total, free),
      },
    ];
  });
}

/** The programs that ours is measured beside: those that are installed here, and how each is started. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Farm } from "./fleet.js";

const PEERS = fileURLToPath(new URL("../peers", import.meta.url));
const BUILT = fileURLToPath(new URL("../results/peers", import.meta.url));

/** Peers in TypeScript, as JavaScript that plain node runs: a loader's start would be counted as theirs. */
export function buildPeers(): (name: string) => string {
  mkdirSync(BUILT, { recursive: true });
  for (const file of readdirSync(PEERS).filter((name) => name.endsWith(".ts"))) {
    const source = readFileSync(join(PEERS, file), "utf8");
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
    };
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    writeFileSync(join(BUILT, file.replace(/\.ts$/, ".mjs")), outputText);
  }
  return (name) => join(BUILT, `${name}.mjs`);
}

/** The Python that has a module, or null. */
export function pythonWith(module: string): string | null {
  for (const python of ["python3", "/usr/bin/python3"]) {
    if (succeeds(python, ["-W", "ignore", "-c", `import ${module}`])) return python;
  }
  return null;
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

export interface Peer {
  readonly name: string;
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** One exec a host by each; `absent` are the names of those that are not installed. */
export function oneShotPeers(
  farm: Farm,
  built: (name: string) => string,
): { readonly peers: readonly Peer[]; readonly absent: readonly string[] } {
  const { command } = farm.gpus;
  const files = ["--hostfile", farm.hostfile, "--key", farm.keyFile, "--known-hosts", farm.knownHostsFile];
  const config = join(farm.dir, "ssh_config");
  writeFileSync(config, sshConfig(farm));
  const hosts = `${farm.addresses.join("\n")}\n`;
  const plain = join(farm.dir, "addresses.txt");
  writeFileSync(plain, hosts);
  const asyncssh = pythonWith("asyncssh");
  const paramiko = pythonWith("paramiko");
  const pssh = ["pssh", "parallel-ssh"].find((name) => succeeds("sh", ["-c", `command -v ${name}`]));
  const has = (name: string): boolean => succeeds("sh", ["-c", `command -v ${name}`]);
  const options = ["-F", config];
  const all: readonly (Peer | string)[] = [
    {
      name: "bare ssh2",
      argv: [
        process.execPath,
        built("bare-ssh2"),
        farm.hostfile,
        farm.keyFile,
        farm.knownHostsFile,
        "32",
        command,
      ],
    },
    asyncssh === null
      ? "asyncssh"
      : { name: "asyncssh", argv: [asyncssh, join(PEERS, "asyncssh_fleet.py"), ...files, command] },
    paramiko === null
      ? "paramiko"
      : { name: "paramiko", argv: [paramiko, join(PEERS, "paramiko_fleet.py"), ...files, command] },
    has("xargs") && has("ssh")
      ? { name: "xargs ssh", argv: ["xargs", "-P32", "-I{}", "ssh", ...options, "{}", command], stdin: hosts }
      : "xargs ssh",
    pssh === undefined
      ? "pssh"
      : { name: "pssh", argv: [pssh, "-i", "-p", "32", "-h", plain, "-x", options.join(" "), command] },
    has("pdsh")
      ? {
          name: "pdsh",
          argv: ["pdsh", "-R", "ssh", "-f", "32", "-w", `^${plain}`, command],
          env: { PDSH_SSH_ARGS: `${options.join(" ")} %h` },
        }
      : "pdsh",
    has("clush")
      ? { name: "clush", argv: ["clush", "-f", "32", "--hostfile", plain, "-o", options.join(" "), command] }
      : "clush",
  ];
  return {
    peers: all.filter((each) => typeof each !== "string"),
    absent: all.filter((each) => typeof each === "string"),
  };
}

function sshConfig(farm: Farm): string {
  return [
    "Host *",
    `  Port ${farm.port}`,
    `  User ${farm.user}`,
    `  IdentityFile ${farm.keyFile}`,
    `  UserKnownHostsFile ${farm.knownHostsFile}`,
    "  GlobalKnownHostsFile none",
    "  IdentitiesOnly yes",
    "  IdentityAgent none",
    "  BatchMode yes",
    "  KexAlgorithms curve25519-sha256",
    "",
  ].join("\n");
}

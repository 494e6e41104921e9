/** The package as another project uses it: packed, installed, compiled against its types, and run on a real sshd. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FAKE_A100, makeTools } from "../support/fake-tools.js";
import { makeKey } from "../support/ssh-key.js";
import { missing, startSshd, type Sshd } from "../support/sshd.js";
import { makeTempDir } from "../support/temp-dir.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const temp = makeTempDir("library");
const outside = join(temp.path, "outside");
const skip = missing ?? false;
let sshd: Sshd;
let packedFiles: readonly string[] = [];

/** A strict project that imports the package by name, its dependencies beside it as npm lays them. */
function installPacked(): void {
  const packed = execFileSync(
    "npm",
    ["pack", "--ignore-scripts", "--json", "--pack-destination", temp.path],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  const [{ filename, files }] = JSON.parse(packed) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  packedFiles = files.map(({ path }) => path);
  const modules = join(outside, "node_modules");
  mkdirSync(join(modules, "allsmi-ssh"), { recursive: true });
  execFileSync("tar", [
    "-xzf",
    join(temp.path, filename),
    "-C",
    join(modules, "allsmi-ssh"),
    "--strip-components=1",
  ]);
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(manifest.dependencies))
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  writeFileSync(join(outside, "package.json"), `{"type":"module"}\n`);
}

before(async () => {
  installPacked();
  if (skip !== false) return;
  const bin = makeTools(join(temp.path, "bin"), {
    "nvidia-smi": FAKE_A100,
  });
  sshd = await startSshd({ bin, shell: "/bin/sh" });
});
after(async () => {
  if (skip === false) await sshd.stop();
  temp.remove();
});

describe("the package", () => {
  const below = (folder: string): readonly string[] =>
    existsSync(join(ROOT, folder))
      ? readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
          .map((name) => `${folder}/${name}`)
          .filter((path) => statSync(join(ROOT, path)).isFile())
      : [];
  test("has examples, schemas, manual, completions and dashboards", () => {
    const expected = [
      ...["README.md", "LICENSE", "SECURITY.md", "dist/start.cjs", "dist/index.js", "dist/types/index.d.ts"],
      ...["dist/thread.js", "dist/resolver.cjs", "man/allsmi-ssh.1", "dist/man/allsmi-ssh-records.5"],
      ...["bash", "fish"].map((shell) => `dist/completions/allsmi-ssh.${shell}`),
      "dist/completions/_allsmi-ssh",
      ...below("examples"),
      ...below("schema"),
      ...below("dashboards").filter((path) => path.endsWith(".json")),
    ];
    assert.ok(expected.length > 30);
    assert.deepEqual(
      expected.filter((path) => !packedFiles.includes(path)),
      [],
    );
  });
  test("has what package.json names, and no sources, tests or maps", () => {
    const { man, bin, types } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly man: readonly string[];
      readonly bin: Readonly<Record<string, string>>;
      readonly types: string;
    };
    for (const path of [...man, ...Object.values(bin), types])
      assert.ok(packedFiles.includes(path.replace(/^\.\//, "")), path);
    const unwanted = /(^|\/)(src|test|golden|bench|build)\/|\.map$|(?<!\.d)\.ts$|\.test\.[jt]s$/;
    assert.deepEqual(
      packedFiles.filter((path) => unwanted.test(path)),
      [],
    );
  });
});

const READER = `import { expandHostlist, watch, UsageError, type StreamRecord, type Gpu } from "allsmi-ssh";
export async function hottest(hosts: string[]): Promise<number | null> {
  let most: number | null = null;
  const records: AsyncIterable<StreamRecord> = watch(hosts, { ticks: "once", include: ["gpu"] });
  for await (const record of records) {
    if (record.record !== "frame") continue;
    for (const gpu of record.gpus ?? []) {
      const { temperature }: Gpu = gpu;
      if (temperature !== null && (most === null || temperature > most)) most = temperature;
    }
  }
  return most;
}
export const hosts: Promise<readonly string[]> = expandHostlist("dgx-[01-16]", { configFile: "none" });
export const problemsOf = (error: unknown): readonly string[] => (error instanceof UsageError ? error.problems : []);
`;
const REFUSED = [
  ["an unknown option", `watch(["h"], { interval: 5 });`, /'interval' does not exist/],
  ["an unknown section", `watch(["h"], { include: ["gpus"] });`, /"gpus"/],
  ["a state that is none", `(r: StreamRecord) => r.state === "up";`, /no overlap/],
] as const;

describe("the types", () => {
  let errors: readonly string[] = [];
  /** The compiler's lines about one of the files. */
  const errorsIn = (file: string): string => errors.filter((line) => line.startsWith(`${file}(`)).join("\n");

  // All at once: each start of the compiler takes seconds.
  before(() => {
    writeFileSync(join(outside, "reader.ts"), READER);
    for (const [at, [, line]] of REFUSED.entries()) {
      const source = `import { watch, type StreamRecord } from "allsmi-ssh";\nexport type R = StreamRecord;\n${line}\nwatch;\n`;
      writeFileSync(join(outside, `refused-${String(at)}.ts`), source);
    }
    const flags = [
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--noEmit",
      "--exactOptionalPropertyTypes",
    ];
    const files = ["reader.ts", ...REFUSED.map((_, at) => `refused-${String(at)}.ts`)];
    const args = [join(ROOT, "node_modules/typescript/bin/tsc"), ...flags, "--pretty", "false", ...files];
    errors = spawnSync(process.execPath, args, { cwd: outside, encoding: "utf8" }).stdout.split("\n");
    const others = errors.filter((line) => /^\S/.test(line) && !line.startsWith("refused-"));
    assert.deepEqual(others, [], "no error but in the files that are to be refused");
  });

  test("a reader of records compiles without the types of node", () => {
    assert.equal(errorsIn("reader.ts"), "");
  });
  for (const [at, [what, , expectedMessage]] of REFUSED.entries()) {
    test(`${what} is refused`, () => {
      assert.match(errorsIn(`refused-${String(at)}.ts`), expectedMessage);
    });
  }
});

function run(source: string): string {
  const file = join(outside, "run.mjs");
  writeFileSync(file, `import { watch, UsageError } from "allsmi-ssh";\n${source}`);
  return execFileSync(process.execPath, [file], { cwd: outside, encoding: "utf8", timeout: 60_000 });
}
const ssh = (keyFile = sshd.userKey.file): string =>
  JSON.stringify({
    configFile: "none",
    keyFiles: [keyFile],
    knownHostsFile: sshd.knownHostsFile,
  });
const host = (port = sshd.port): string => `${sshd.user}@127.0.0.1:${port}`;

describe("watch()", { skip }, () => {
  test("gives one record a host and tick, transitions between, labels in each", () => {
    const printed = run(`
      const hosts = [{ host: ${JSON.stringify(host())}, labels: { rack: "r12" } }];
      const seen = [];
      for await (const record of watch(hosts, { ticks: 2, intervalMs: 3000, ssh: ${ssh()} }))
        seen.push([record.record, record.tick, record.state, record.labels.rack, record.gpus?.[0]?.utilization ?? null]);
      console.log(JSON.stringify(seen));`);
    assert.deepEqual(JSON.parse(printed), [
      ["state", null, "connecting", "r12", null],
      ["state", null, "connected", "r12", null],
      ["frame", 0, "connected", "r12", 5],
      ["frame", 1, "connected", "r12", 5],
    ]);
  });
  test("a host that refuses is a record, and no exception", () => {
    const other = makeKey(join(temp.path, "other"));
    const printed = run(`
      for await (const record of watch([${JSON.stringify(host())}], { ticks: "once", ssh: ${ssh(other.file)}, env: {} }))
        console.log(record.tick, record.state);`);
    assert.equal(printed, "0 auth-failed\n");
  });
  test("judges by expectations and labels, and refuses an unknown one", () => {
    const printed = run(`
      const hosts = [{ host: ${JSON.stringify(host())}, labels: { "expect.gpus": "8" } }];
      for await (const { health } of watch(hosts, { ticks: "once", include: ["gpu"], expect: ["gpu=A*"], ssh: ${ssh()} }))
        console.log(health.status, health.findings.map(({ rule }) => rule).join());
      try { for await (const _ of watch(["h"], { expect: ["gpus=x"] })); } catch (error) { console.log(error.problems[0]); }`);
    const [judged, refused = ""] = printed.split("\n");
    assert.equal(judged, "critical expect.gpus");
    assert.match(refused, /^expect: "gpus=x" takes a number/);
  });
  test("ends by the signal, and by leaving the loop, with nothing left that keeps the process", () => {
    const printed = run(`
      const ended = new AbortController();
      let frames = 0;
      for await (const record of watch([${JSON.stringify(host())}], { intervalMs: 200, ssh: ${ssh()}, signal: ended.signal }))
        if (record.record === "frame" && ++frames === 2) ended.abort();
      for await (const record of watch([${JSON.stringify(host())}], { intervalMs: 200, ssh: ${ssh()} }))
        if (record.record === "frame") break;
      console.log("over");`);
    assert.equal(printed, "over\n");
  });
  test("wrong hosts and options are one UsageError, with a line each", () => {
    const printed = run(`
      try { for await (const _ of watch(["ok", "a b", "h:0"])); } catch (error) { console.log(error instanceof UsageError, error.problems.length); }
      try { for await (const _ of watch(["h"], { intervalMs: 5 })); } catch (error) { console.log(error.problems[0]); }
      try { for await (const _ of watch(["h"], { ssh: { keyFiles: ["/nonexistent/key"] } })); } catch (error) { console.log(error.name); }`);
    assert.equal(printed, "true 2\nintervalMs: is below 100\nUsageError\n");
  });
});

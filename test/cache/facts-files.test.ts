/** The files of the facts that are kept between runs: what is trusted, and what is written. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { factsFolder } from "../../src/cache/facts-folder.js";
import { FactsFiles, MAX_FACTS_FILE_BYTES } from "../../src/cache/facts-files.js";
import { realClock } from "../../src/lib/clock.js";
import { makeTempDir } from "../support/temp-dir.js";

const KEY = "SHA256:abc watcher@gpu-01:22";
const FACTS = { machine: "m", tools: { "nvidia-smi": { state: "1" } } };
const notRoot = process.getuid?.() === 0 ? false : "NOT ROOT: files of another user were not tried";

interface Place {
  readonly folder: string;
  /** The one file. */
  readonly file: () => string;
  /** As the next run would. */
  readonly read: () => Promise<unknown>;
}

async function withFacts(use: (place: Place) => Promise<void>): Promise<void> {
  const temp = makeTempDir("facts");
  const folder = join(temp.path, "cache", "allsmi-ssh");
  const store = new FactsFiles(folder, "allsmi-ssh 1", realClock);
  try {
    store.write(KEY, FACTS);
    await store.close();
    await use({
      folder,
      file: () => join(folder, readdirSync(folder)[0] ?? ""),
      read: () => new FactsFiles(folder, "allsmi-ssh 1", realClock).read(KEY),
    });
  } finally {
    temp.remove();
  }
}

test("the folder is XDG_CACHE_HOME's, else HOME's, and none without an absolute path", () => {
  assert.equal(factsFolder({ XDG_CACHE_HOME: "/c", HOME: "/h" }), "/c/allsmi-ssh");
  assert.equal(factsFolder({ XDG_CACHE_HOME: "c", HOME: "/h" }), "/h/.cache/allsmi-ssh");
  assert.equal(factsFolder({ HOME: "/h" }), "/h/.cache/allsmi-ssh");
  assert.equal(factsFolder({ HOME: "" }), null);
  assert.equal(factsFolder({}), null);
});

test("facts are read as they were written, by their key alone, from a file that only the user can read", () =>
  withFacts(async ({ folder, file, read }) => {
    assert.deepEqual(await read(), FACTS);
    assert.equal(await new FactsFiles(folder, "allsmi-ssh 1", realClock).read(`${KEY}2`), null);
    assert.deepEqual(readdirSync(folder).length, 1);
    assert.match(file(), /\/[0-9a-f]{64}\.json$/);
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  }));

test("where each file takes long, the files of most hosts are not read, so that hosts do not wait for one another", () =>
  withFacts(async ({ folder }) => {
    const read = async (fileMs: number): Promise<number> => {
      let nowMs = 0;
      // A file's reading is timed by two looks at the clock.
      const clock = { ...realClock, nowMs: () => (nowMs += fileMs) };
      const store = new FactsFiles(folder, "allsmi-ssh 1", clock);
      const facts = await Promise.all(Array.from({ length: 300 }, () => store.read(KEY)));
      return facts.filter((each) => each !== null).length;
    };
    assert.equal(await read(0.5), 300);
    const ofSlow = await read(30);
    assert.ok(ofSlow >= 1 && ofSlow < 10, String(ofSlow));
  }));

test("another version of the program does not read them", () =>
  withFacts(async ({ folder }) => {
    assert.equal(await new FactsFiles(folder, "allsmi-ssh 2", realClock).read(KEY), null);
  }));

describe("a file that cannot be trusted is not read, and the next write replaces it", () => {
  const cases: Readonly<Record<string, (path: string) => void>> = {
    empty: (path) => writeFileSync(path, ""),
    "cut short": (path) => writeFileSync(path, readFileSync(path).subarray(0, 40)),
    "no JSON": (path) => writeFileSync(path, "\u0000\u0001{"),
    "other JSON": (path) => writeFileSync(path, "[null]"),
    "another format": (path) =>
      writeFileSync(path, readFileSync(path, "utf8").replace('"format":1', '"format":2')),
    "too large": (path) =>
      writeFileSync(path, `${readFileSync(path, "utf8")}${" ".repeat(MAX_FACTS_FILE_BYTES)}`),
    "writable by the group": (path) => chmodSync(path, 0o660),
    "writable by all": (path) => chmodSync(path, 0o602),
    "a hard link": (path) => linkSync(path, `${path}.other`),
    "a symbolic link": (path) => {
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
    "a pipe": (path) => {
      renameSync(path, `${path}.real`);
      execFileSync("mkfifo", ["-m", "600", path]);
    },
    "a folder": (path) => {
      renameSync(path, `${path}.real`);
      mkdirSync(path);
    },
    "unreadable device": (path) => {
      renameSync(path, `${path}.real`);
      symlinkSync("/dev/zero", path);
    },
  };
  for (const [what, damage] of Object.entries(cases))
    test(what, () =>
      withFacts(async ({ folder, file, read }) => {
        const path = file();
        damage(path);
        assert.equal(await read(), null);
        const store = new FactsFiles(folder, "allsmi-ssh 1", realClock);
        store.write(KEY, FACTS);
        await store.close();
        if (what === "a folder") return;
        assert.deepEqual(await read(), FACTS);
        assert.ok(!statSync(path).isSymbolicLink());
      }),
    );

  test("of another user", { skip: notRoot }, () =>
    withFacts(async ({ file, read }) => {
      chownSync(file(), 65534, 65534);
      assert.equal(await read(), null);
    }),
  );
});

describe("a folder that cannot be trusted is neither read nor written", () => {
  const cases: Record<string, (folder: string) => void> = {
    "writable by all": (folder) => chmodSync(folder, 0o777),
    "a symbolic link": (folder) => {
      renameSync(folder, `${folder}.real`);
      symlinkSync(`${folder}.real`, folder);
    },
    "a file": (folder) => {
      renameSync(folder, `${folder}.real`);
      writeFileSync(folder, "");
    },
  };
  if (notRoot === false) cases["of another user"] = (folder) => chownSync(folder, 65534, 65534);
  for (const [what, damage] of Object.entries(cases))
    test(what, () =>
      withFacts(async ({ folder, read }) => {
        damage(folder);
        const real = existsSync(`${folder}.real`) ? `${folder}.real` : folder;
        const before = statSync(real).isDirectory() ? readdirSync(real) : [];
        assert.equal(await read(), null);
        const store = new FactsFiles(folder, "allsmi-ssh 1", realClock);
        store.write(`${KEY} other`, FACTS);
        await store.close();
        assert.deepEqual(statSync(real).isDirectory() ? readdirSync(real) : [], before);
      }),
    );

  test("no folder is made below another user's", { skip: notRoot }, async () => {
    const temp = makeTempDir("facts");
    const home = join(temp.path, "home");
    mkdirSync(home);
    chownSync(home, 65534, 65534);
    const store = new FactsFiles(join(home, ".cache", "allsmi-ssh"), "allsmi-ssh 1", realClock);
    store.write(KEY, FACTS);
    await store.close();
    assert.deepEqual(readdirSync(home), []);
    temp.remove();
  });

  test("nor where there can be none", async () => {
    const store = new FactsFiles("/dev/null/allsmi-ssh", "allsmi-ssh 1", realClock);
    store.write(KEY, FACTS);
    await store.close();
    assert.equal(await store.read(KEY), null);
  });
});

test("no home is made that is not there", async () => {
  const temp = makeTempDir("facts");
  const store = new FactsFiles(join(temp.path, "home", ".cache", "allsmi-ssh"), "allsmi-ssh 1", realClock);
  store.write(KEY, FACTS);
  await store.close();
  assert.deepEqual(readdirSync(temp.path), []);
  temp.remove();
});

test("a full disk leaves what was there", { skip: notRoot }, () =>
  withFacts(async ({ folder, read }) => {
    const small = join(folder, "..", "small");
    mkdirSync(small, { mode: 0o700 });
    // In a namespace of its own: nothing stays mounted.
    const program = `
      import { FactsFiles } from "${new URL("../../src/cache/facts-files.ts", import.meta.url).pathname}";
      const clock = { wallMs: Date.now, nowMs: () => 0, after: () => ({ cancel() {} }) };
      const store = new FactsFiles("${small}", "allsmi-ssh 1", clock);
      store.write("key", "x".repeat(100_000));
      await Promise.resolve(store.close());
      console.log(JSON.stringify(await store.read("key")), (await import("node:fs")).readdirSync("${small}").length);`;
    const mount = `mount -t tmpfs -o size=4096,mode=700 none ${small} && exec "$@"`;
    const argv = ["-m", "sh", "-c", mount, "sh", process.execPath, "--import", "tsx", "--input-type=module"];
    const printed = execFileSync("unshare", [...argv, "-e", program], { encoding: "utf8" });
    assert.equal(printed, "null 0\n");
    assert.deepEqual(await read(), FACTS);
  }),
);

test("runs that write the same host at once leave one whole file", () =>
  withFacts(async ({ folder, read }) => {
    const stores = Array.from({ length: 8 }, () => new FactsFiles(folder, "allsmi-ssh 1", realClock));
    const texts = stores.map((_, index) => `${index}`.repeat(50_000));
    for (const [index, store] of stores.entries()) store.write(KEY, texts[index]);
    await Promise.all(stores.map((store) => store.close()));
    assert.equal(readdirSync(folder).length, 1);
    const left = await read();
    assert.ok(typeof left === "string" && texts.includes(left));
  }));

test("files older than a day are removed by a run that writes, and files of others are not", () =>
  withFacts(async ({ folder, file }) => {
    const old = file();
    const left = `${old}.0123456789ab.tmp`;
    const foreign = join(folder, "README");
    for (const path of [left, foreign]) writeFileSync(path, "");
    const then = Date.now() / 1000 - 90_000;
    for (const path of [old, left, foreign]) utimesSync(path, then, then);
    const store = new FactsFiles(folder, "allsmi-ssh 1", realClock);
    store.write(`${KEY} other`, FACTS);
    await store.close();
    assert.deepEqual([existsSync(old), existsSync(left), existsSync(foreign)], [false, false, true]);
    assert.equal(readdirSync(folder).length, 2);
  }));

test("facts that are too large, or one host too many, are not written", () =>
  withFacts(async ({ folder }) => {
    const full = new FactsFiles(folder, "allsmi-ssh 1", realClock, { maxFiles: 2 });
    full.write(`${KEY} large`, "x".repeat(MAX_FACTS_FILE_BYTES));
    await full.close();
    assert.equal(readdirSync(folder).length, 1);
    for (const host of ["b", "c", "d"]) full.write(host, FACTS);
    full.write(KEY, "again");
    await full.close();
    assert.equal(readdirSync(folder).length, 2);
    assert.equal(await full.read(KEY), "again");
  }));

/** What signals do to the program: SIGHUP and --output, SIGUSR1 and the debugger. */
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { recordsOf, runCli, whenOut } from "../support/cli.js";
import { closedPort } from "../support/free-port.js";
import { withoutHostLines } from "../support/host-lines.js";
import { waitFor } from "../support/processes.js";
import { makeTempDir } from "../support/temp-dir.js";

const temp = makeTempDir("signals");
after(() => temp.remove());
let flags: readonly string[] = [];
before(async () => {
  // A host that is refused at once has a record a tick, which is all that these tests need.
  flags = ["--ssh", `127.0.0.1:${await closedPort()}`, "--ssh-config", "none", "--interval", "0.2"];
});

const WORKERS = ["0", "2"];

const linesIn = (file: string): number =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;

describe("SIGHUP", () => {
  for (const workers of WORKERS) {
    test(`without --output ends it like SIGTERM, with 129 (--workers ${workers})`, async () => {
      const run = await runCli([...flags, "--workers", workers, "--format", "ndjson"], {
        started: (child) => whenOut(child, /"tick":2/, () => child.kill("SIGHUP")),
      });
      assert.equal(run.code, 129, run.stderr);
      assert.equal(withoutHostLines(run.stderr), "");
      assert.ok(run.stdout.endsWith("}\n"));
      assert.ok(recordsOf(run.stdout).length > 0);
    });

    for (const format of ["ndjson", "csv"]) {
      test(`with --output goes on in a new file, ${format} whole in both (--workers ${workers})`, async () => {
        const file = join(temp.path, `${format}-${workers}`);
        const run = await runCli([...flags, "--workers", workers, "--format", format, "--output", file], {
          started: (child) => void rotateThrice(child, file),
        });
        assert.equal(run.code, 143, run.stderr);
        assert.equal(
          withoutHostLines(run.stderr),
          `allsmi-ssh: SIGHUP: reopened --output ${file}\n`.repeat(3),
        );
        const texts = [`${file}.0`, `${file}.1`, `${file}.2`, file].map((name) => readFileSync(name, "utf8"));
        for (const text of texts) assert.ok(text.endsWith("\n"));
        const ticks = format === "ndjson" ? ticksOf(texts.join("")) : csvTicks(texts);
        assert.deepEqual(
          ticks,
          ticks.map((_, place) => place),
          "no record is lost, split or there twice",
        );
        assert.ok(ticks.length > 8);
      });
    }
  }

  async function rotateThrice(child: ChildProcess, file: string): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await waitFor("records", () => linesIn(file) > 4);
      renameSync(file, `${file}.${turn}`);
      child.kill("SIGHUP");
      await waitFor("the new file", () => existsSync(file));
    }
    await waitFor("records", () => linesIn(file) > 4);
    child.kill("SIGTERM");
  }

  const ticksOf = (text: string): (number | null)[] =>
    recordsOf(text).flatMap(({ tick }) => (tick === null ? [] : [tick]));

  /** Each file has the header, once and first. */
  function csvTicks(texts: readonly string[]): number[] {
    return texts.flatMap((text) => {
      const [header = "", ...rows] = text.trimEnd().split("\n");
      assert.match(header, /^timestamp,tick,host_id,/);
      assert.ok(!rows.includes(header));
      return rows.flatMap((row) => (row.split(",")[1] === "" ? [] : [Number(row.split(",")[1])]));
    });
  }

  test("of a file that is still there adds no second header", async () => {
    const file = join(temp.path, "same.csv");
    const run = await runCli([...flags, "--format", "csv", "--output", file], {
      started: (child) =>
        void (async () => {
          await waitFor("records", () => linesIn(file) > 4);
          child.kill("SIGHUP");
          const before = linesIn(file);
          await waitFor("more records", () => linesIn(file) > before + 4);
          child.kill("SIGTERM");
        })(),
    });
    assert.equal(withoutHostLines(run.stderr), `allsmi-ssh: SIGHUP: reopened --output ${file}\n`);
    assert.equal(readFileSync(file, "utf8").match(/^timestamp,/gm)?.length, 1);
  });

  test("before anything was written leaves one header in the new file", async () => {
    const [file, config] = [join(temp.path, "early.csv"), join(temp.path, "early-config")];
    writeFileSync(config, 'Match exec "sleep 1"\n');
    const args = [
      "--ssh",
      "127.0.0.1:1",
      "--ssh-config",
      config,
      "--once",
      "--quiet",
      "--format",
      "csv",
      "--output",
      file,
    ];
    const run = await runCli(args, {
      started: (child) =>
        void (async () => {
          await waitFor("the file", () => existsSync(file));
          renameSync(file, `${file}.0`);
          child.kill("SIGHUP");
        })(),
    });
    assert.equal(withoutHostLines(run.stderr), `allsmi-ssh: SIGHUP: reopened --output ${file}\n`);
    assert.equal(readFileSync(`${file}.0`, "utf8"), "");
    assert.match(readFileSync(file, "utf8"), /^timestamp,.*\n20.*\n$/);
  });

  test("where the new file cannot be opened stays with the old one and logs why", async () => {
    const folder = join(temp.path, "folder");
    mkdirSync(folder);
    const file = join(folder, "out.ndjson");
    const moved = join(temp.path, "moved.ndjson");
    const run = await runCli([...flags, "--format", "ndjson", "--output", file], {
      started: (child) =>
        void (async () => {
          await waitFor("records", () => linesIn(file) > 4);
          renameSync(file, moved);
          rmSync(folder, { recursive: true });
          child.kill("SIGHUP");
          const before = linesIn(moved);
          await waitFor("more records", () => linesIn(moved) > before + 4);
          child.kill("SIGTERM");
        })(),
    });
    assert.equal(run.code, 143);
    assert.match(
      withoutHostLines(run.stderr),
      /^allsmi-ssh: warning: SIGHUP: --output .* stays the old file: ENOENT.*\n$/,
    );
    assert.ok(recordsOf(readFileSync(moved, "utf8")).length > 8);
  });
});

describe("SIGUSR1", () => {
  for (const workers of WORKERS) {
    test(`opens no debugger (--workers ${workers})`, async () => {
      const all = [...flags, "--quiet", "--workers", workers, "--format", "ndjson", "--count", "10"];
      const run = await runCli(all, {
        started: (child) => {
          child.stdout?.on("data", (text: string) => {
            assert.deepEqual(listeningSockets(child.pid ?? 0), []);
            if (!text.includes('"tick":9')) child.kill("SIGUSR1");
          });
        },
      });
      assert.equal(run.code, 4, run.stderr);
      assert.equal(withoutHostLines(run.stderr), "");
    });
  }
});

/** Sockets of the process on which somebody could connect to it. */
function listeningSockets(pid: number): readonly string[] {
  const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  const inodes = new Set(fds.flatMap((name) => /^socket:\[(\d+)\]$/.exec(name)?.[1] ?? []));
  return ["tcp", "tcp6"].flatMap((table) =>
    tableOf(`/proc/${pid}/net/${table}`)
      .split("\n")
      .filter((line) => {
        const [, , , state, , , , , , inode = ""] = line.trim().split(/\s+/);
        return state === "0A" && inodes.has(inode);
      }),
  );
}

/** Empty for a process that has ended meanwhile: it listens to nobody. */
function tableOf(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

test("SIGUSR1 opens no debugger in a process that looks names up", async () => {
  const folder = new URL("../../dist/", import.meta.url);
  const child = fork(fileURLToPath(new URL("resolver.cjs", folder)), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  after(() => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let stderr = "";
  child.stderr?.on("data", (text: Buffer) => (stderr += text.toString()));
  const message = (): Promise<unknown> => new Promise((resolve) => child.once("message", resolve));
  const ask = (id: number): Promise<unknown> => {
    child.send({ id, name: "localhost", family: 4 });
    return message();
  };
  assert.deepEqual(await message(), { isReady: true });
  assert.deepEqual(await ask(1), { id: 1, addresses: ["127.0.0.1"] });
  for (const signal of ["SIGUSR1", "SIGINT", "SIGTERM", "SIGHUP"] as const) child.kill(signal);
  assert.deepEqual(await ask(2), { id: 2, addresses: ["127.0.0.1"] });
  assert.deepEqual(listeningSockets(child.pid ?? 0), []);
  child.disconnect();
  await ended;
  assert.equal(stderr, "");
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseArgv } from "../../src/cli/parse-argv.js";
import { UsageError } from "../../src/contract/errors.js";

/** Files by name, as they are when they are read. */
function reader(files: Readonly<Record<string, string>>) {
  const reads: string[] = [];
  const read = (file: string): Promise<string> => {
    reads.push(file);
    const text = files[file];
    return text === undefined ? Promise.reject(new Error(`ENOENT: ${file}`)) : Promise.resolve(text);
  };
  return { reads, read };
}

async function parsed(args: readonly string[], files: Readonly<Record<string, string>>) {
  const { reads, read } = reader(files);
  const command = await parseArgv(args, read);
  assert.ok(command.kind === "run");
  return { ...command, reads };
}

describe("hosts that are read again", () => {
  test("are those of the files as they are then, with the same filters, and of the command line", async () => {
    const files = { hosts: "a role=gpu\nb role=login\n" };
    const args = ["--ssh", "typed", "--ssh-hostfile", "hosts", "--select", "role!=login"];
    const { rereadTargets } = await parsed(args, files);
    assert.ok(rereadTargets !== null);
    files.hosts = "b role=gpu\nc role=login\n";
    const { targets } = await rereadTargets();
    assert.deepEqual(
      targets.map(({ host }) => host),
      ["typed", "b"],
    );
  });

  test("standard input is read once, and its hosts stay", async () => {
    const files = { "-": "x\n", hosts: "a\n" };
    const args = ["--ssh-hostfile", "-", "--ssh-hostfile", "hosts"];
    const { rereadTargets, reads } = await parsed(args, files);
    files["-"] = "";
    const again = await rereadTargets?.();
    assert.deepEqual(
      again?.targets.map(({ host }) => host),
      ["x", "a"],
    );
    assert.deepEqual(reads, ["-", "hosts", "hosts"]);
  });

  test("a wrong file is the problem that it would be at the start", async () => {
    const files = { hosts: "a\n" };
    const { rereadTargets } = await parsed(["--ssh-hostfile", "hosts"], files);
    files.hosts = "a rack\n";
    await assert.rejects(rereadTargets?.() ?? Promise.resolve(), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, /^hosts:1: "rack"/);
      return true;
    });
  });

  test("there are none where no host is from a file", async () => {
    for (const args of [["--ssh", "a"], ["--demo"], ["--replay", "f"], ["--ssh-hostfile", "-"]])
      assert.equal((await parsed(args, { "-": "a\n" })).rereadTargets, null, args.join(" "));
  });
});

test("--format all-smi-record refuses a file name that all-smi would expect to be compressed", async () => {
  const args = (file: string) => ["--ssh", "a", "--format", "all-smi-record", "--output", file];
  await assert.rejects(parsed(args("x.ndjson.zst"), {}), /--output x\.ndjson\.zst: all-smi expects/);
  await assert.rejects(parsed(args("x.GZ"), {}), /--output x\.GZ/);
  assert.equal((await parsed(args("x.ndjson"), {})).options.output, "x.ndjson");
});

/** Accounts with an unusual shell: each section is read where possible, and otherwise has an error. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { FrameRecord } from "../../src/contract/record.js";
import { fakeNvidiaSmi } from "../support/fake-tools.js";
import { missing, type SshdOptions } from "../support/sshd.js";
import { SH, watchHost } from "../support/watched-host.js";

const CASES = fileURLToPath(new URL("../../../shared/cases/", import.meta.url));
const NVIDIA = `${SH}${fakeNvidiaSmi({
  columns: ["index", "uuid", "name", "utilization.gpu [%]"],
  rows: ["0, GPU-1, NVIDIA A10G, 97"],
  cases: [`-L) echo "GPU 0: NVIDIA A10G (UUID: GPU-1)";;`],
})}\n`;
const HOST = `{"model":"12th Gen Intel(R) Core(TM) i7-12700H","vendor":"GenuineIntel","mhz":2688,"threads":20,"arch":"AMD64","total":34082336768,"available":20082336768,"sockets":[]}`;

/** What a host under Windows answers: `absent` is what its shell makes of a program that it does not have. */
function windowsHost(absent: string, which = "Windows_NT"): (bin: string) => SshdOptions {
  return (bin) => {
    const text = `${SH}c=$SSH_ORIGINAL_COMMAND; t=\${c%% *}
case "$c" in
"echo "*) ${which === "" ? ":" : `echo "${which}"; exit 0`};;
powershell*) echo '${HOST}'; exit 0;;
nvidia-smi\\ *) exec ${bin}/nvidia-smi \${c#* };;
esac
${absent}
exit 1
`;
    writeFileSync(join(bin, "guard"), text);
    chmodSync(join(bin, "guard"), 0o755);
    return { config: [`ForceCommand ${bin}/guard`] };
  };
}

function assertWindows(frames: readonly FrameRecord[]): void {
  assert.equal(frames.length, 2);
  for (const frame of frames) {
    assert.equal(frame.channel, "plain");
    assert.equal(frame.gpus?.[0]?.utilization, 97);
    assert.equal(frame.cpus?.[0]?.total_threads, 20);
    assert.equal(frame.memory?.[0]?.total_bytes, 34082336768);
    assert.equal(frame.errors, undefined);
  }
}

const ABSENT: readonly (readonly [what: string, absent: string, which?: string])[] = [
  [
    "cmd.exe in German",
    `printf 'Der Befehl "%s" ist entweder falsch geschrieben oder\\r\\nkonnte nicht gefunden werden.\\r\\n' "$t" >&2`,
  ],
  [
    "cmd.exe in French, code page 850",
    `printf "'%s' n'est pas reconnu en tant que commande interne\\r\\nou externe, un programme ex\\202cutable\\r\\n" "$t" >&2`,
    "Windows_NT \\$env:OS",
  ],
  [
    "cmd.exe in Japanese, code page 932, where echo is not allowed",
    `printf "'%s' \\202\\315\\201A\\223\\340\\225\\224\\203R\\203}\\203\\223\\203h\\r\\n" "$t" >&2`,
    "",
  ],
  [
    "PowerShell in German, broken at its width",
    `printf '%s : Die Benennung "%s" wurde nicht als Name eines Cmdlet erkannt.\\r\\nIn Zeile:1 Zeichen:1\\r\\n+ %s\\r\\n    + FullyQualifiedErrorId : CommandNotFoundEx\\r\\n   ception\\r\\n' "$t" "$t" "$c" >&2`,
    "%OS%\\nWindows_NT",
  ],
];

describe("a Windows host is known by its system, in any language", { concurrency: 3 }, () => {
  for (const [what, absent, which] of ABSENT)
    test(what, { skip: missing ?? false }, async () => {
      const { frames } = await watchHost({
        programs: { "nvidia-smi": NVIDIA },
        sshd: windowsHost(absent, which),
        args: ["--count", "2", "--interval", "5"],
      });
      assertWindows(frames);
    });

  const cmd = join(CASES, "09-windows-german/cmd.sh");
  const skip = missing ?? (existsSync(cmd) ? false : "SKIPPED LOUDLY: the shared cases are not beside it");
  test("recorded: German", { skip }, async () => {
    const { frames } = await watchHost({ sshd: () => ({ config: [`ForceCommand ${cmd}`] }) });
    assert.equal(frames[0]?.gpus?.[0]?.utilization, 7);
    assert.equal(frames[0].cpus?.[0]?.total_threads, 20);
    assert.equal(frames[0].memory?.[0]?.total_bytes, 34082336768);
  });

  test("without a GPU tool, its own sections", { skip: missing ?? false }, async () => {
    const { frames } = await watchHost({
      sshd: windowsHost(ABSENT[0]?.[1] ?? ""),
      args: ["--once", "--include", "cpu,memory"],
    });
    assert.equal(frames[0]?.transport, "windows");
    assert.equal(frames[0].cpus?.[0]?.total_threads, 20);
  });
});

describe("login shells", { concurrency: 3 }, () => {
  const skipOf = (file: string): string | false =>
    missing ?? (existsSync(file) ? false : `SKIPPED LOUDLY: ${file} is not installed`);

  test(
    "xonsh changes what is quoted: the script comes by standard input",
    {
      skip: skipOf("/usr/bin/xonsh"),
    },
    async () => {
      const { frames } = await watchHost({
        programs: { "nvidia-smi": NVIDIA },
        // A home of its own: xonsh writes its history there.
        sshd: (bin) => {
          const shell = join(bin, "login");
          writeFileSync(shell, `${SH}HOME=/nonexistent exec /usr/bin/xonsh "$@"\n`);
          chmodSync(shell, 0o755);
          return { shell };
        },
        args: ["--count", "3", "--interval", "4"],
      });
      assert.equal(frames.length, 3);
      for (const frame of frames) {
        assert.equal(frame.channel, "session");
        assert.equal(frame.gpus?.[0]?.utilization, 97);
        assert.equal(frame.errors, undefined);
        assert.ok((frame.memory?.[0]?.total_bytes ?? 0) > 0);
      }
      assert.equal(typeof frames.at(-1)?.cpus?.[0]?.utilization, "number");
    },
  );

  test(
    "rbash lets no script run: each section that cannot be read has an error",
    {
      skip: skipOf("/usr/bin/rbash"),
    },
    async () => {
      const { frames } = await watchHost({
        programs: { "nvidia-smi": NVIDIA },
        sshd: () => ({ shell: "/usr/bin/rbash" }),
        args: ["--count", "2", "--interval", "3", "--include", "gpu,cpu,memory,storage,process"],
      });
      assert.equal(frames.length, 2);
      for (const { channel, gpus, errors } of frames) {
        assert.equal(channel, "plain");
        assert.equal(gpus?.[0]?.utilization, 97);
        assert.deepEqual([...new Set(errors?.map(({ section }) => section))].sort(), [
          ...["cpu", "memory", "storage"],
        ]);
      }
    },
  );

  test("a shell that runs nothing at all is reported as no-tool", { skip: missing ?? false }, async () => {
    const { records } = await watchHost({
      sshd: (bin) => {
        writeFileSync(join(bin, "guard"), `${SH}echo "this account is for file transfer only"\n`);
        chmodSync(join(bin, "guard"), 0o755);
        return { config: [`ForceCommand ${bin}/guard`] };
      },
    });
    const [state] = records;
    assert.ok(state?.record === "state");
    assert.equal(state.last_error?.code, "no-tool");
    assert.match(state.last_error.message, /file transfer only/);
  });
});

/** Vendor tools that hang, flood, lie or die. The host's own sections and the next ticks must not suffer. */
import type { Sshd } from "../../support/sshd.js";
import { FRAMES, gpuError, type HostCase } from "./fault-case.js";
import { hostWithTool } from "./servers.js";

const HALF = "0, GPU-1, NVIDIA H10";

const SCRIPTS: readonly (readonly [name: string, expected: HostCase["expected"], script: string])[] = [
  ["a tool that hangs", gpuError(/2 s|no answer|timed out|deadline/), "exec sleep 611"],
  ["a tool that ignores TERM", gpuError(/2 s|no answer|timed out/), 'trap "" TERM; sleep 611; sleep 611'],
  [
    "a tool that hangs after half a row",
    gpuError(/2 s|no answer|timed out/),
    `printf '${HALF}'; exec sleep 611`,
  ],
  ["a tool that ends after half a row", gpuError(/./), `printf '${HALF}'; exit 0`],
  ["a tool that prints nothing", gpuError(/./), "exit 0"],
  ["a tool that is killed", gpuError(/SIGKILL/), "kill -9 $$"],
  ["a tool that crashes", gpuError(/SIGSEGV|SIGABRT|139|134/), "kill -SEGV $$"],
  ["a tool that fails with a reason", gpuError(/driver/), "echo 'no driver here' >&2; exit 9"],
  ["a GiB of standard output", gpuError(/more than|no answer|2 s/), "exec head -c 1073741824 /dev/zero"],
  ["standard output without an end", gpuError(/more than|no answer|2 s/), "exec yes 611"],
  ["standard error without an end", gpuError(/more than|no answer|2 s/), "exec yes 611 >&2"],
  ["200,000 lines", gpuError(/more than/), "yes 611 | head -n 200000; exit 0"],
  ["one line of 20 MiB", gpuError(/more than|no answer/), "head -c 20971520 /dev/zero | tr '\\0' x; exit 0"],
  ["bytes that are no UTF-8", gpuError(/./), "printf '\\377\\376\\200\\n'; exit 0"],
  ["NULs", gpuError(/./), "head -c 1000 /dev/zero; exit 0"],
  ["random bytes", gpuError(/./), "head -c 100000 /dev/urandom; exit 0"],
  [
    "terminal escapes in its reason",
    gpuError(/^[^\x1b\x07]*$/),
    "printf '\\033]0;x\\007\\033[31mred\\n' >&2; exit 9",
  ],
  [
    "lines like our markers",
    gpuError(/./),
    'printf "\\n@000000000000 x nvidia-smi.query 0\\n\\n@000000000000 z 1\\n"; exit 0',
  ],
  ["a child that keeps its output open", gpuError(/2 s|no answer|timed out/), "sleep 20 & exit 0"],
  [
    "100 children that stay",
    FRAMES,
    "i=0; while [ $i -lt 100 ]; do sleep 3 >/dev/null 2>&1 & i=$((i+1)); done",
  ],
  ["a tool that takes a second", FRAMES, "sleep 1"],
  ["a tool that closes its standard output", gpuError(/./), "exec >&-; sleep 0.2; exit 0"],
  ["a tool that kills its own shell's children by name of group", gpuError(/./), "kill -TERM 0; sleep 1"],
];

/** Of hosts that share one sshd. */
export function toolCases(server: Sshd): readonly HostCase[] {
  return SCRIPTS.map(([name, expected, script]) => ({
    name,
    expected,
    arrange: () => Promise.resolve(hostWithTool(server, script)),
  }));
}

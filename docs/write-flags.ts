/**
 * Writes docs/flags.md, the reference of all flags, from src/cli/flags.ts. UPDATE_GOLDEN=1 writes the file; a test compares
 * it with what would be written.
 */
import { format } from "prettier";
import { FLAG_GROUPS, type Flag } from "../src/cli/flags.js";
import { flagSyntax } from "../src/cli/help.js";
import { FALLBACK_IDS } from "../src/shims/registry.js";

const LETTERS = `## Letters

Letters may be joined, and a value may follow its letter directly: \`-qn5\`, \`-n 5\` and \`-n=5\` are the same interval. The letters
have the meaning that they have in watch (\`-n\`), ping (\`-c\`), pdsh and clush (\`-w\`), ssh (\`-i\`, \`-F\`, \`-v\`) and curl (\`-o\`, \`-q\`). Some
differ from other tools: \`-o\` is a file, not an option of ssh; \`-f\` is the format, not a fanout (\`--ssh-concurrency\`). Nagios
plugins use \`-w\`, \`-c\`, \`-t\` and \`-H\`; here these are \`--warn\`, \`--crit\`, \`--timeout\` and \`--ssh\`.`;

const DEFAULTS = `## Defaults of your own

\`ALLSMI_SSH_INTERVAL=5\` is a default for \`--interval\`. Every flag has such a variable, except \`--check\`, \`--help\` and
\`--version\`: capital letters, \`_\` for \`-\`, and \`1\` or \`0\` for a flag without a value. \`--ssh-key\` is \`ALLSMI_SSH_SSH_KEY\`. A
variable with an unknown name that begins with \`ALLSMI_SSH_\` is a warning, with the name that was probably meant.

\`ALLSMI_SSH_CONFIG_PATH\` names a file of flags, one a line, as \`--interval=5\`. Flags of the command line replace those of
variables, and these replace those of the file. If a flag with one value is given several times, the last one counts.`;

const MESSAGES = `## Messages

Messages are on standard error, and each begins with \`allsmi-ssh:\`. A watch prints one when a host changes: connected, lost
with the reason and a fix, connected again, a reading with errors, ok again. A host that changes all the time has at most two
messages of each kind in a minute, then one a minute with their number. At the end one line has how many hosts are ok.
\`--verbose\` prints each attempt, \`--quiet\` none of these.

Messages have no time, because the journal of systemd, container runtimes and syslog add it. For a file, use \`--log-time\`:

\`\`\`sh
allsmi-ssh --ssh-hostfile hosts.txt --output fleet.ndjson --log-time 2>> allsmi.log
\`\`\``;

const COMPLETIONS = `## Completions

For bash, zsh and fish, in the package's folder \`dist/completions\`:

- bash: \`source "$(npm root -g)/allsmi-ssh/dist/completions/allsmi-ssh.bash"\`
- zsh: put \`_allsmi-ssh\` into a folder of \`$fpath\`
- fish: put \`allsmi-ssh.fish\` into \`~/.config/fish/completions\``;

const STEP_LOG = `## The step log

The step log shows which step is slow or fails on a host. \`ALLSMI_SSH_DEBUG\` takes a list of areas, separated by commas: \`ssh\`
(dial, host key, authentication, channels) and \`remote\` (commands on the host, answers, timeouts). \`--verbose --verbose\` is
both. It never contains key material.

\`\`\`console
$ ALLSMI_SSH_DEBUG=remote allsmi-ssh --ssh admin@dgx-01 --once > /dev/null
allsmi-ssh: admin@dgx-01:22 +0.213s remote: bootstrap sent: 12925 bytes, tools to look for: native, nvidia-smi, ...
allsmi-ssh: admin@dgx-01:22 +0.388s remote: bootstrap answered in 170.2 ms: 6 parts, 2058 bytes
allsmi-ssh: admin@dgx-01:22 +0.400s remote: tools: nvidia-smi; system linux; timeouts by gnu; transport nvidia-smi, channel session
\`\`\``;

/** The text of docs/flags.md. */
export async function writeFlags(): Promise<string> {
  const text = [
    "# Flags",
    "<!-- Written from src/cli/flags.ts by docs/write-flags.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs.test.ts -->",
    "`allsmi-ssh --help` prints the same list, and `man allsmi-ssh` has more about each.\nHosts stand without a flag " +
      "([hosts.md](hosts.md)).",
    ...FLAG_GROUPS.flatMap(({ title, flags }) => [`## ${title}`, flagTable(flags)]),
    `Tools for \`--ssh-fallback\`: ${FALLBACK_IDS.map((id) => `\`${id}\``).join(", ")}.`,
    LETTERS,
    DEFAULTS,
    COMPLETIONS,
    MESSAGES,
    STEP_LOG,
  ].join("\n\n");
  return await format(text, { parser: "markdown", printWidth: 110 });
}

function flagTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => [`\`${flagSyntax(flag)}\``, plain(flag.about), plain(flag.initial ?? "")]);
  return [["flag", "what it does", "default"], Array<string>(3).fill("---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Text that markdown prints as it stands. */
function plain(text: string): string {
  return text.replaceAll(/[\\|*<]/g, "\\$&");
}

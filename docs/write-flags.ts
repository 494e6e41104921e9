/**
 * Writes docs/flags.md, the reference of all flags, from src/cli/flags.ts. UPDATE_GOLDEN=1 writes the file; a test compares
 * it with what would be written.
 */
import { format } from "prettier";
import { FLAG_GROUPS, type Flag } from "../src/cli/flags.js";
import { flagSyntax } from "../src/cli/help.js";
import { FALLBACK_IDS } from "../src/shims/registry.js";

const LETTERS = `## Letters

Letters may be joined, and a value joined to its letter: \`-qn5\`, \`-n 5\` and \`-n=5\` are the same interval. They mean what they
mean in watch (\`-n\`), ping (\`-c\`), pdsh and clush (\`-w\`), ssh (\`-i\`, \`-F\`, \`-v\`) and curl (\`-o\`, \`-q\`). Elsewhere some mean
something else: \`-o\` takes no option of ssh, \`-f\` is no fanout (\`--ssh-concurrency\`), and \`-w\`, \`-c\`, \`-t\` and \`-H\` of a Nagios plugin
are \`--warn\`, \`--crit\`, \`--timeout\` and \`--ssh\`.`;

const DEFAULTS = `## Defaults of your own

\`ALLSMI_SSH_INTERVAL=5\` is a default for \`--interval\`, and so on for every flag but \`--check\`: capital letters, \`_\` for \`-\`,
and \`1\` or \`0\` for a flag without a value. \`ALLSMI_SSH_CONFIG_PATH\` names a file of flags, one a line, as \`--interval=5\`.
The command line wins over variables, and they over the file. Of a repeated flag with one value, the last one counts.`;

const COMPLETIONS = `## Completions

For bash, zsh and fish, in the package's folder \`dist/completions\`:

- bash: \`source "$(npm root -g)/allsmi-ssh/dist/completions/allsmi-ssh.bash"\`
- zsh: put \`_allsmi-ssh\` into a folder of \`$fpath\`
- fish: put \`allsmi-ssh.fish\` into \`~/.config/fish/completions\``;

const STEP_LOG = `## The step log

It shows what is slow or fails on one host. \`ALLSMI_SSH_DEBUG\` takes a comma list of areas: \`ssh\` (dial, host key,
authentication, channels) and \`remote\` (what is asked on the host, what it answers, timeouts). \`--verbose --verbose\` is
both. It never holds key material.

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

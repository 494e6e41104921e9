/**
 * Writes docs/health.md, the list of health rules, from the tables in src/health. UPDATE_GOLDEN=1 writes the file; a test
 * compares it with what would be written.
 */
import { format } from "prettier";
import { EVENT_RULES, EVENTS_UNREAD } from "../src/health/event-rules.js";
import { GPU_RULES } from "../src/health/gpu-rules.js";
import { HOST_RULES } from "../src/health/host-rules.js";
import type { Rule } from "../src/health/rule.js";

/** What a rule shows of itself, whatever it judges. */
type Listed = Omit<Rule<never>, "check">;

/** The text of docs/health.md. */
export async function writeHealth(): Promise<string> {
  const text = [
    "# Health rules",
    "<!-- Written from src/health/*-rules.ts by docs/write-health.ts: UPDATE_GOLDEN=1 node --import tsx --test test/docs/health.test.ts -->",
    "`--health` and `--check` judge each record by these rules. A finding is in `health.findings` of the record, with the " +
      "rule's id, what was read and what to do next. Severities:\n\n" +
      "- **critical**: something does not work as it should. The host counts as failed for the exit code.\n" +
      "- **warning**: it works, and needs attention.\n" +
      "- **unknown**: a reading that the rule needs is missing. Never `ok`.",
    "```sh\nallsmi-ssh --ssh-hostfile hosts.txt --once --health | jq -c 'select(.health.status != \"ok\") | {hostname, health}'\n```",
    "`status` is `ok`, `unknown`, `warning` or `critical`: the worst of `findings`. Each finding has the `rule`, its `severity`, " +
      "the `device`, a `message`, what to do next (`action`), and `since`. Conditions see all of it: " +
      "`--fail-on 'health.status == \"critical\"'`. In the table `--health` is a column, and sick hosts come first.",
    "`--expect gpus=8,driver=580.95.05` adds what every host should have; a label `expect.gpus=4` in the hostfile is for one " +
      "host and wins. Keys are `gpus` (how many work), `gpu` (the model), `driver` and `vbios`; values are a pattern " +
      "(`580.*`) or a range (`>=580.65`, `570..580`).",
    "Expectations (`--expect`, labels `expect.KEY`) have the rules `expect.gpus`, `expect.gpu`, `expect.driver` and " +
      "`expect.vbios`. Limits of your own, as a temperature, are conditions: `--fail-on`, `--warn`, `--crit`.",
    "## Accelerators",
    ruleTable(GPU_RULES),
    "## Hosts",
    ruleTable(HOST_RULES),
    "## Events of the kernel log",
    "With `--include event`, and with `--health` where `--include` is not given. A finding stands until the next boot, or for " +
      "24 hours ([events.md](events.md)).",
    ruleTable([...EVENT_RULES, EVENTS_UNREAD]),
    "## Not judged",
    "- Temperatures: a device's own limits show as a slowdown, and what is hot for one model is normal for another.\n" +
      "- Lifetime error counts: they never clear. Errors since the driver was loaded count.\n" +
      "- Power caps and idle clocks: both are normal.\n" +
      "- How busy a device is: see the examples on idle GPUs.",
  ].join("\n\n");
  return await format(text, { parser: "markdown", printWidth: 120, proseWrap: "always" });
}

function ruleTable(rules: readonly Listed[]): string {
  const rows = rules.map(({ id, severity, condition, action, source }) => [
    `\`${id}\``,
    severity,
    ...[condition, action, source],
  ]);
  const lines = [["rule", "severity", "fires when", "what to do", "source"], Array(5).fill("---"), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}

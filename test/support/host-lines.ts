/** Standard error of a watch without its log of hosts, for tests of what else is printed there. */

const HOST_LINE =
  /^allsmi-ssh: (\S+: (connected( again after .*)?( \(.*\))?$|ok again after |\w+ (error|timeout|parse): |[a-z]+-[a-z-]+: )|\d+ hosts?: \d+ ok)/;

export function withoutHostLines(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => !HOST_LINE.test(line))
    .join("\n");
}

/**
 * The letters for flags that people type often, by flag name. Each means what it means in the tool that is named beside it,
 * where several tools disagree in the one that is nearest to a watch of hosts over SSH.
 */
const LETTERS: Readonly<Record<string, string>> = {
  // pdsh and clush
  ssh: "w",
  "ssh-hostfile": "H",
  // ssh
  "ssh-key": "i",
  "ssh-config": "F",
  // watch
  interval: "n",
  // ls
  once: "1",
  // ping
  count: "c",
  format: "f",
  // curl
  output: "o",
  // curl and ssh
  quiet: "q",
  verbose: "v",
  help: "h",
  version: "V",
};

const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(LETTERS).map(([name, letter]) => [letter, name]),
);

/** The letter of a flag, without its dash; undefined where it has none. */
export function letterOf(name: string): string | undefined {
  return Object.hasOwn(LETTERS, name) ? LETTERS[name] : undefined;
}

/** The name of the flag with this letter, without its dashes. */
export function nameOfLetter(letter: string): string | undefined {
  return NAMES.get(letter);
}

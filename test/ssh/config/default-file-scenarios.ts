/** What stands in ~/.ssh and /etc/ssh, with modes and owners, one scenario after the other. */
export interface PlacedFile {
  /** `~/...` is the home directory. */
  readonly path: string;
  readonly text: string;
  readonly mode?: number;
  /** User and group by number. */
  readonly owner?: readonly [number, number];
}

/** Stands in the directories that the test made to be mounted over the real ones. */
export const MARKER = ".allsmi-ssh-test";

export interface DefaultFileScenario {
  readonly name: string;
  readonly files: readonly PlacedFile[];
}

const user = (text: string, more: Partial<PlacedFile> = {}): PlacedFile => ({
  path: "~/.ssh/config",
  text,
  ...more,
});
const system = (text: string, more: Partial<PlacedFile> = {}): PlacedFile => ({
  path: "/etc/ssh/ssh_config",
  text,
  ...more,
});

/** A user and a group that no system hands out. */
const STRANGER = 54321;

export const DEFAULT_FILE_SCENARIOS: readonly DefaultFileScenario[] = [
  { name: "no file", files: [] },
  { name: "user before system", files: [user("Port 7\n"), system("Port 8\nUser sys\n")] },
  { name: "only the system file", files: [system("Host foo\nPort 8\n")] },
  { name: "world-writable", files: [user("Port 7\n", { mode: 0o666 })] },
  { name: "group-writable", files: [user("Port 7\n", { mode: 0o664 })] },
  { name: "group-writable by strangers", files: [user("Port 7\n", { mode: 0o664, owner: [0, STRANGER] })] },
  { name: "group-writable by a group of others", files: [user("Port 7\n", { mode: 0o664, owner: [0, 1] })] },
  { name: "owned by a stranger", files: [user("Port 7\n", { owner: [STRANGER, STRANGER] })] },
  { name: "world-readable", files: [user("Port 7\n", { mode: 0o644 })] },
  { name: "system file world-writable", files: [system("Port 8\n", { mode: 0o666 })] },
  { name: "system file of a stranger", files: [system("Port 8\n", { owner: [STRANGER, STRANGER] })] },
  {
    name: "relative Includes",
    files: [
      user("Include conf.d/*\n"),
      { path: "~/.ssh/conf.d/a", text: "Port 9\n" },
      system("Include ssh_config.d/*.conf\n"),
      { path: "/etc/ssh/ssh_config.d/b.conf", text: "User b\nPort 1\n" },
      { path: "/etc/ssh/ssh_config.d/c", text: "BindAddress 1\n" },
    ],
  },
  {
    name: "world-writable Include",
    files: [user("Include x\n"), { path: "~/.ssh/x", text: "Port 9\n", mode: 0o666 }],
  },
  {
    name: "world-writable Include of the system",
    files: [system("Include x\n"), { path: "/etc/ssh/x", text: "Port 9\n", mode: 0o666 }],
  },
  {
    name: "tilde in the system's Include",
    files: [system("Include ~/x\n"), { path: "~/x", text: "Port 9\n" }],
  },
  { name: "tilde in the user's Include", files: [user("Include ~/x\n"), { path: "~/x", text: "Port 9\n" }] },
  {
    name: "an identity named twice, by user and by system",
    files: [user("IdentityFile a\nIdentityFile a\n"), system("IdentityFile a\n")],
  },
  {
    name: "Match final in the system file",
    files: [user("HostName real\n"), system("Match final host real\nPort 3\n")],
  },
  { name: "mistake in the system file", files: [user("Port 3\n"), system("Foo 3\n")] },
];

/** Logins that are refused, or lead to something other than a plain shell; agents and programs of the config that fail. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { makeKey } from "../../support/ssh-key.js";
import type { SshdOptions } from "../../support/sshd.js";
import { failed, FRAMES, type FaultyHost, type HostCase } from "./fault-case.js";
import { config, hostAt, known, ownFile, serve } from "./servers.js";

/** A host of an sshd of its own, with a fault from the start. */
function login(
  name: string,
  expected: HostCase["expected"],
  options: SshdOptions | (() => SshdOptions),
  more: readonly string[] | (() => readonly string[]) = [],
  rest: Partial<FaultyHost> = {},
): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const own = await serve(typeof options === "function" ? options() : options);
      return hostAt(own, typeof more === "function" ? more() : more, rest);
    },
  };
}

function writtenFile(name: string, text: string): string {
  const path = ownFile(name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** A home with files that a login shell reads. */
function home(files: Readonly<Record<string, string>>): string {
  const path = ownFile("home");
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

function script(text: string): string {
  const path = writtenFile("program", `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const other = (): ReturnType<typeof makeKey> => makeKey(ownFile("key"));
const NO_KEY = failed("auth-failed", "no-usable-key");
const REFUSED = failed("auth-failed", "auth-failed");
const NO_TOOL = failed("unsupported", "no-tool");
const SILENT = failed("timeout", "probe-timeout");

/** An agent at a socket of its own that does `answer` with each connection. */
function agent(name: string, answer: (server: Server) => void): HostCase {
  return {
    name,
    expected: NO_KEY,
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      const path = ownFile("agent");
      const server = createServer();
      const sockets = new Set<Socket>();
      server.on("error", () => undefined);
      server.on("connection", (socket) => sockets.add(socket));
      answer(server);
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const host = hostAt(own, [`IdentityAgent ${path}`, "IdentitiesOnly no"]);
      return {
        ...host,
        config: host.config.map((line) =>
          line.startsWith("IdentityFile") ? "IdentityFile /dev/null" : line,
        ),
        stop: () => {
          for (const socket of sockets) socket.destroy();
          return new Promise((resolve) => server.close(() => resolve()));
        },
      };
    },
  };
}

function proxied(name: string, expected: HostCase["expected"], command: string): HostCase {
  return {
    name,
    expected,
    arrange: async () => {
      const own = await serve();
      return hostAt(own, [`ProxyCommand ${script(command.replaceAll("PORT", String(own.port)))}`]);
    },
  };
}

export const LOGIN_CASES: readonly HostCase[] = [
  login("a host key that is not known", failed("host-key-rejected", "host-key-unknown"), {}, [], {
    known: () => "",
  }),
  login("another host key than the known one", failed("host-key-rejected", "host-key-changed"), {}, [], {
    known: (alias) => known(alias, other()),
  }),
  login("a host key that is revoked", failed("host-key-rejected", "host-key-revoked"), {}, [], {
    known: (alias) => `@revoked ${known(alias)}`,
  }),
  login("known_hosts is /dev/full", failed("host-key-rejected", "host-key-unknown"), {}, [
    "UserKnownHostsFile /dev/full",
  ]),
  login("known_hosts is a folder", failed("host-key-rejected", "host-key-unknown"), {}, [
    "UserKnownHostsFile /tmp",
  ]),
  login("a key that the host does not know", REFUSED, () => ({ authorizedKeys: [other().publicLine] })),
  login("a host that takes passwords only", REFUSED, {
    config: ["PubkeyAuthentication no", "PasswordAuthentication yes"],
  }),
  login("a user who may not log in", REFUSED, { config: ["DenyUsers *"] }),
  login("a host that asks for two keys", REFUSED, { config: ["AuthenticationMethods publickey,publickey"] }),
  {
    name: "no key at all",
    expected: NO_KEY,
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      return {
        known,
        config: ["HostName 127.0.0.1", `Port ${own.port}`, `User ${own.user}`, "IdentityFile /dev/null"],
      };
    },
  },
  {
    name: "a key file that others can read",
    expected: NO_KEY,
    arrange: async (): Promise<FaultyHost> => {
      const own = await serve();
      const key = other();
      chmodSync(key.file, 0o644);
      return {
        known,
        config: config(own.port, own.user).map((line) =>
          line.replace(/^IdentityFile .*/, `IdentityFile ${key.file}`),
        ),
      };
    },
  },
  agent("an agent that never answers", (server) =>
    server.on("connection", (socket) => socket.on("error", () => undefined)),
  ),
  agent("an agent that closes at once", (server) => server.on("connection", (socket) => socket.destroy())),
  agent("an agent that answers garbage", (server) =>
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write(Buffer.alloc(64, 0xff)));
    }),
  ),
  agent("an agent that holds no key", (server) =>
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write(Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])));
    }),
  ),
  proxied("a ProxyCommand that fails", failed("unreachable", "proxy-failed"), "echo no way >&2; exit 3"),
  proxied("a ProxyCommand that is not there", failed("unreachable", "proxy-failed"), "exec /nonexistent/nc"),
  proxied("a ProxyCommand that hangs", failed("timeout", "handshake-timeout"), "exec sleep 612"),
  proxied(
    "a ProxyCommand that lies",
    failed("unreachable", "not-ssh"),
    "printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; exec sleep 612",
  ),
  proxied(
    "a ProxyCommand that ignores TERM",
    FRAMES,
    `exec bash -c 'trap "" TERM; exec 3<>/dev/tcp/127.0.0.1/PORT; cat <&3 & cat >&3; wait'`,
  ),
  login(
    "a KnownHostsCommand that hangs",
    failed("timeout", "handshake-timeout", "connect-timeout"),
    {},
    () => [`KnownHostsCommand ${script("exec sleep 612")}`],
  ),
  login(
    "a KnownHostsCommand that fails",
    failed("disconnected", "protocol-error"),
    {},
    () => [`KnownHostsCommand ${script("exit 1")}`],
    { known: () => "" },
  ),
  login("a login banner", FRAMES, () => ({
    config: [`Banner ${writtenFile("banner", "Property of ...\n".repeat(20))}`],
  })),
  login("a login banner of 30 KB", FRAMES, () => ({
    config: [`Banner ${writtenFile("banner", "Property of ...\n".repeat(1900))}`],
  })),
  login("MaxSessions 1", FRAMES, { config: ["MaxSessions 1"] }),
  login("MaxSessions 0", NO_TOOL, { config: ["MaxSessions 0"] }),
  login("MaxStartups 1", FRAMES, { config: ["MaxStartups 1"] }),
  login("a rekey every 64 KiB", FRAMES, { config: ["RekeyLimit 64K"] }),
  login("a ForceCommand that refuses", NO_TOOL, { config: ["ForceCommand echo not for you; exit 1"] }),
  login("a ForceCommand that never answers", SILENT, { config: ["ForceCommand cat"] }),
  login("a ForceCommand that prints for ever", failed("timeout", "probe-timeout"), {
    config: ["ForceCommand while :; do echo x; sleep 0.3; done"],
  }),
  login("a login shell that ends at once", failed("auth-failed", "access-denied"), { shell: "/bin/false" }),
  login("a restricted shell", FRAMES, () => ({ shell: "/bin/rbash" })),
  login("a shell profile that prints", FRAMES, () => ({
    shell: "/bin/bash",
    home: home({ ".bashrc": "echo Welcome to this machine\nprintf 'no newline'\n" }),
  })),
  login("a shell profile that executes another shell", FRAMES, () => ({
    shell: "/bin/bash",
    home: home({
      ".bashrc": '[ -n "$AGAIN" ] || { export AGAIN=1; exec bash -c "$BASH_EXECUTION_STRING"; }\n',
    }),
  })),
  login("a shell profile that hangs", SILENT, () => ({
    shell: "/bin/bash",
    home: home({ ".bashrc": "sleep 612\n" }),
  })),
];

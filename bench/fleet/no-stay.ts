/** A login shell that lets no shell stay open, so that the program falls back to an exec a tick. */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./fake-gpus.js";

const STAY = "; exec /bin/sh -s'";

const SOURCE = `#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (argc == 3) {
    char *stay = strstr(argv[2], ${JSON.stringify(STAY)});
    if (stay) strcpy(stay, "'");
    if (strstr(argv[2], "exec /bin/sh -s'")) return 1;
    execl("/bin/sh", "sh", "-c", argv[2], (char *)0);
  }
  return 1;
}
`;

/** Null where there is no C compiler: a shell in its place would cost too much to be compared. */
export function makeNoStayShell(dir: string): string | null {
  mkdirSync(dir, { recursive: true });
  const program = join(dir, "no-stay");
  if (!compile(SOURCE, dir, program)) return null;
  chmodSync(program, 0o755);
  return program;
}

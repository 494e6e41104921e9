/**
 * Where a vendor tool is on a host: `--tool nvidia-smi=/opt/x/nvidia-smi`, and the hostfile's label
 * `tool.nvidia-smi=/opt/x/nvidia-smi`.
 */
import { cleanText } from "../lib/text.js";

/** Paths by tool id. */
export type ToolPaths = Readonly<Record<string, string>>;

/** Labels with this prefix are tool paths. */
export const TOOL_LABEL = "tool.";

const MAX_PATH_LENGTH = 1000;
/** On Windows the command goes to cmd.exe or PowerShell as it is: nothing that they act on is allowed. */
const WINDOWS_PATH = /^[A-Za-z]:[\\/][\w .()\\/-]*$/;

/** What is wrong with a path, for a message that names it; null for a good one. */
export function toolPathProblem(path: string): string | null {
  const shown = `"${cleanText(path)}"`;
  if (path === "") return "has no path; write an absolute one, as /opt/x/nvidia-smi";
  if (cleanText(path) !== path) return `${shown} holds a control character; remove it`;
  if (path.length > MAX_PATH_LENGTH) return `is longer than ${MAX_PATH_LENGTH} characters`;
  const isWindows = /^[A-Za-z]:[\\/]/.test(path);
  if (!path.startsWith("/") && !isWindows)
    return `${shown} is not an absolute path; write the whole one, as /opt/x/nvidia-smi`;
  if (isWindows && !WINDOWS_PATH.test(path))
    return `${shown} has characters that a Windows shell acts on; use letters, digits, blanks and . _ - ( )`;
  if (/[/\\]$/.test(path)) return `${shown} is a folder; add the program's name`;
  return null;
}

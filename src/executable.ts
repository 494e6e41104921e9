/** What the single-file executable runs: the program, or the resolver process that it starts of itself. */
import { isResolverProcess } from "./run/programs.js";

if (isResolverProcess(process)) void import("./ssh/names/resolver.js");
else void import("./start.js");

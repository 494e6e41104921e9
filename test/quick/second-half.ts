import { runQuickTests } from "../test-files.js";

await runQuickTests(1);

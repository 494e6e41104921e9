/** Lines of NDJSON against the JSON Schemas that the package ships. */
import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

type SchemaName = "record" | "compact-record" | "row" | "compact-row";

const validators = new Map<SchemaName, ValidateFunction>();

function validatorOf(name: SchemaName): ValidateFunction {
  const known = validators.get(name);
  if (known !== undefined) return known;
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  formats.default(ajv);
  const file = new URL(`../../schema/${name}.json`, import.meta.url);
  const made = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  validators.set(name, made);
  return made;
}

/** What the schema does not allow in a value, one line a problem. */
export function schemaProblems(name: SchemaName, value: unknown): readonly string[] {
  const isValid = validatorOf(name);
  if (isValid(value)) return [];
  return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ""}`);
}

/** Throws where a line that a run with these arguments printed is not as its schema has it. */
export function checkLines(stdout: string, args: readonly string[]): void {
  // Chosen fields are a part of a record.
  if (args.some((arg) => arg.startsWith("--fields"))) return;
  const name =
    `${args.includes("--compact") ? "compact-" : ""}${args.includes("--rows") ? "row" : "record"}` as const;
  // A program that was killed may have written half a line.
  const whole = stdout.slice(0, stdout.lastIndexOf("\n") + 1);
  for (const line of whole.split("\n")) {
    if (!line.startsWith('{"schema":1,')) continue;
    const problems = schemaProblems(name, JSON.parse(line));
    if (problems.length > 0)
      throw new Error(`a line is not as schema/${name}.json has it:\n${problems.join("\n")}\n${line}`);
  }
}

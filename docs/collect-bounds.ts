/** Every cap of the program, read from the source: the number constants named MAX_, MIN_ or _TIMEOUT_ at a file's top. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export interface Bound {
  /** Below src/, as `remote/answer-bounds.ts`. */
  readonly file: string;
  readonly name: string;
  readonly value: number;
  /** The comment above it, in one line; empty where there is none. */
  readonly comment: string;
}

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const IS_BOUND = /^(MAX|MIN)_|_TIMEOUT_(MS|SECS)$|^HANDSHAKES_AN_ADDRESS$/;

/** In the order of the files' names, and of their lines. A constant whose value cannot be worked out is an error. */
export function collectBounds(): readonly Bound[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap(boundsOf);
}

function boundsOf(file: string): readonly Bound[] {
  const text = readFileSync(join(SRC, file), "utf8");
  if (!/\bconst [A-Z_]*(MAX|MIN|TIMEOUT|HANDSHAKES)_/.test(text)) return [];
  return constantsOf(file, text).flatMap(([{ name, initializer }, statement]) => {
    if (!ts.isIdentifier(name) || initializer === undefined || !IS_BOUND.test(name.text)) return [];
    // Versions and lists of fields are no limits.
    if (!isArithmetic(initializer)) return [];
    return [
      { file, name: name.text, value: valueOf(initializer, file), comment: commentOf(text, statement) },
    ];
  });
}

type Constant = readonly [declaration: ts.VariableDeclaration, statement: ts.Statement];

function constantsOf(file: string, text: string): readonly Constant[] {
  return ts
    .createSourceFile(file, text, ts.ScriptTarget.ES2023, true)
    .statements.flatMap((statement) =>
      ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map((declaration): Constant => [declaration, statement])
        : [],
    );
}

function isArithmetic(node: ts.Expression): boolean {
  if (ts.isNumericLiteral(node) || ts.isIdentifier(node)) return true;
  if (ts.isParenthesizedExpression(node)) return isArithmetic(node.expression);
  return ts.isBinaryExpression(node) && isArithmetic(node.left) && isArithmetic(node.right);
}

function valueOf(node: ts.Expression, file: string): number {
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isParenthesizedExpression(node)) return valueOf(node.expression, file);
  if (ts.isIdentifier(node)) return valueOfName(node.text, file);
  if (!ts.isBinaryExpression(node)) throw new Error(`${file}: ${node.getText()} is not arithmetic`);
  const [left, right] = [valueOf(node.left, file), valueOf(node.right, file)];
  const operate = OPERATORS.get(node.operatorToken.kind);
  if (operate === undefined)
    throw new Error(`${file}: ${node.getText()} has an operator that is not known here`);
  return operate(left, right);
}

const OPERATORS: ReadonlyMap<ts.SyntaxKind, (left: number, right: number) => number> = new Map([
  [ts.SyntaxKind.PlusToken, (left: number, right: number) => left + right],
  [ts.SyntaxKind.MinusToken, (left: number, right: number) => left - right],
  [ts.SyntaxKind.AsteriskToken, (left: number, right: number) => left * right],
  [ts.SyntaxKind.SlashToken, (left: number, right: number) => left / right],
  [ts.SyntaxKind.AsteriskAsteriskToken, (left: number, right: number) => left ** right],
  [ts.SyntaxKind.LessThanLessThanToken, (left: number, right: number) => left << right],
]);

/** Of a constant of the file itself, of one that it imports by this name, or that it passes on. */
function valueOfName(name: string, file: string): number {
  const value = foundValue(name, file);
  if (value === null) throw new Error(`${file}: ${name} is not found`);
  return value;
}

function foundValue(name: string, file: string): number | null {
  const text = readFileSync(join(SRC, file), "utf8");
  for (const [declaration] of constantsOf(file, text)) {
    if (!ts.isIdentifier(declaration.name) || declaration.name.text !== name) continue;
    if (declaration.initializer !== undefined) return valueOf(declaration.initializer, file);
  }
  const sources = new RegExp(
    `(?:import \\{[^}]*\\b${name}\\b[^}]*\\}|export \\*) from "(\\.[^"]+)\\.js"`,
    "g",
  );
  for (const [, from = ""] of text.matchAll(sources)) {
    const value = foundValue(name, normalize(join(dirname(file), `${from}.ts`)));
    if (value !== null) return value;
  }
  return null;
}

function commentOf(text: string, statement: ts.Statement): string {
  const ranges = ts.getLeadingCommentRanges(text, statement.getFullStart()) ?? [];
  return ranges
    .map(({ pos, end }) => text.slice(pos, end))
    .filter((comment) => !comment.includes("eslint-"))
    .slice(-1)
    .join(" ")
    .replace(/^\/\*\*?|\*\/$|^\/\/ ?/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Draws docs/architecture.svg from the imports in src/: a box a room, rooms that use others above them. A line that longer ways stand for as well is left out. UPDATE_GOLDEN=1 writes the file; a test compares
 * what stands there with what would be drawn.
 */
import { importsOf, isLocal, roomOf, sourceFiles } from "../test/support/imports.js";

const BOX = { width: 150, height: 46, gapX: 26, gapY: 56 };
const MARGIN = 24;

interface Room {
  readonly name: string;
  /** 0 uses no other room. */
  readonly floor: number;
}

/** The SVG's text. */
export function drawArchitecture(): string {
  const uses = arrows();
  const rooms = [...uses.keys()].map((name) => ({
    name,
    floor: floorOf(name, uses),
  }));
  const floors = [...new Set(rooms.map(({ floor }) => floor))].sort((a, b) => b - a);
  const rows = floors.map((floor) => rooms.filter((room) => room.floor === floor));
  const width = Math.max(...rows.map((row) => row.length)) * (BOX.width + BOX.gapX) + 2 * MARGIN - BOX.gapX;
  const height = rows.length * (BOX.height + BOX.gapY) - BOX.gapY + 2 * MARGIN;
  const at = new Map<string, { readonly x: number; readonly y: number }>();
  for (const [row, inRow] of rows.entries()) {
    const left = (width - inRow.length * (BOX.width + BOX.gapX) + BOX.gapX) / 2;
    for (const [column, { name }] of inRow.entries())
      at.set(name, {
        x: left + column * (BOX.width + BOX.gapX),
        y: MARGIN + row * (BOX.height + BOX.gapY),
      });
  }
  const lines = [...uses].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to, uses)))
      .map((to) => line(at.get(from), at.get(to))),
  );
  const boxes = rooms.map((room) => box(room, at.get(room.name)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...lines,
    ...boxes,
    "</svg>\n",
  ].join("\n");
}

/** The rooms that each room imports from, types included. */
function arrows(): ReadonlyMap<string, ReadonlySet<string>> {
  const uses = new Map<string, Set<string>>(sourceFiles.map((file) => [roomOf(file), new Set()]));
  for (const { from, to } of sourceFiles.flatMap(importsOf))
    if (isLocal(to) && roomOf(to) !== roomOf(from)) uses.get(roomOf(from))?.add(roomOf(to));
  return uses;
}

/** One above the highest room that it uses. A circle would have no floor: rooms on the way count as none. */
function floorOf(
  room: string,
  uses: ReadonlyMap<string, ReadonlySet<string>>,
  path: ReadonlySet<string> = new Set(),
): number {
  const below = [...(uses.get(room) ?? [])].filter((each) => !path.has(each));
  return Math.max(-1, ...below.map((each) => floorOf(each, uses, new Set([...path, room])))) + 1;
}

function reaches(from: string, to: string, uses: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let room = open.pop(); room !== undefined; room = open.pop()) {
    if (room === to) return true;
    if (seen.has(room)) continue;
    seen.add(room);
    open.push(...(uses.get(room) ?? []));
  }
  return false;
}

type Place = { readonly x: number; readonly y: number } | undefined;

function line(from: Place, to: Place): string {
  if (from === undefined || to === undefined) return "";
  const [x1, x2] = [from.x + BOX.width / 2, to.x + BOX.width / 2].map(Math.round);
  return `<line x1="${x1}" y1="${from.y + BOX.height}" x2="${x2}" y2="${to.y}" stroke="#b8c4d0"/>`;
}

function box({ name }: Room, at: Place): string {
  if (at === undefined) return "";
  const [x, y, middle] = [at.x, at.y, at.x + BOX.width / 2].map(Math.round);
  return (
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6" fill="#eef4fa" stroke="#5b7a99"/>` +
    `<text x="${middle}" y="${(y ?? 0) + 28}" text-anchor="middle">${name}</text>`
  );
}

/** What a scenario measured: one value a run, and what is made of them. */

export interface Figure {
  /** Stable name, as `one-shot.ours-over-xargs-ssh`: thresholds go by it. */
  readonly id: string;
  readonly what: string;
  /** `x` for a ratio of the same round. */
  readonly unit: string;
  readonly values: readonly number[];
}

/** A curve over the number of hosts. */
export interface Series {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Measured {
  readonly figures: readonly Figure[];
  readonly series?: readonly Series[];
  /** What a reader of the numbers has to know: what was left out, capped or not installed. */
  readonly notes?: readonly string[];
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor((sorted.length - 1) / 2);
  const low = sorted[middle] ?? NaN;
  const high = sorted[sorted.length - 1 - middle] ?? NaN;
  return { min: sorted[0] ?? NaN, median: (low + high) / 2, max: sorted.at(-1) ?? NaN };
}

/** The k of y = c * x^k by least squares on logarithms. */
export function exponentOf(points: readonly (readonly [number, number])[]): number {
  return slopeOf(points.map(([x, y]) => [Math.log(x), Math.log(y)]));
}

/** The slope of a straight line through the points by least squares. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const x = mean(points.map(([at]) => at));
  const y = mean(points.map(([, value]) => value));
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return over / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

/** Values by name, collected round by round, and ratios of values of the same round. */
export class Rounds {
  readonly #values = new Map<string, (number | null)[]>();

  add(name: string, value: number): void {
    this.#push(name, value);
  }

  /** A round that gave no value: the later ones stay paired with those of the others. */
  skip(name: string): void {
    this.#push(name, null);
  }

  has(name: string): boolean {
    return this.of(name).length > 0;
  }

  of(name: string): readonly number[] {
    return (this.#values.get(name) ?? []).filter((value) => value !== null);
  }

  ratios(over: string, under: string): readonly number[] {
    const below = this.#values.get(under) ?? [];
    return (this.#values.get(over) ?? []).flatMap((value, round) => {
      const other = below[round] ?? 0;
      return value === null || other === 0 ? [] : [value / other];
    });
  }

  #push(name: string, value: number | null): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }
}

/** The names, begun at another one each round: whoever comes first does not always meet the same machine. */
export function inTurn<T>(names: readonly T[], round: number): readonly T[] {
  const at = names.length === 0 ? 0 : round % names.length;
  return [...names.slice(at), ...names.slice(0, at)];
}

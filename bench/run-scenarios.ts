/** Runs scenarios one after the other; one that fails is named, and the others run all the same. */
import type { Measured } from "./measure/figures.js";
import type { BenchOptions, Scenario } from "./scenarios/scenario.js";

export interface ScenariosRun {
  /** What all of them measured; a failure is among the notes. */
  readonly measured: Measured;
  /** The names of those that failed. */
  readonly failed: readonly string[];
}

export async function runScenarios(
  chosen: readonly Scenario[],
  options: BenchOptions,
): Promise<ScenariosRun> {
  const parts: Measured[] = [];
  const failed: string[] = [];
  for (const scenario of chosen) {
    options.say(`== ${scenario.name}: ${scenario.about}`);
    try {
      parts.push(await scenario.run(options));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      options.say(`${scenario.name}: failed, the next scenario follows: ${why}`);
      parts.push({ figures: [], notes: [`${scenario.name} FAILED: ${why.split("\n")[0] ?? ""}`] });
      failed.push(scenario.name);
    }
  }
  return {
    measured: {
      figures: parts.flatMap((part) => part.figures),
      series: parts.flatMap((part) => part.series ?? []),
      notes: parts.flatMap((part) => part.notes ?? []),
    },
    failed,
  };
}

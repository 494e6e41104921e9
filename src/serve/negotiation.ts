/** Which format and which encoding a request asks for. Source: RFC 9110, 12.5.1 Accept and 12.5.3 Accept-Encoding. */
import type { ExpositionFormat } from "../format/prometheus/exposition.js";

interface Choice {
  readonly name: string;
  /** Parameters but for the weight. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 to 1; 0: refused. */
  readonly weight: number;
}

/** OpenMetrics where it is asked for at least as much as the older text, which everything reads. */
export function formatAsked(accept: string | undefined): ExpositionFormat {
  const choices = choicesIn(accept);
  const best = (matches: (choice: Choice) => boolean): number =>
    Math.max(0, ...choices.filter(matches).map(({ weight }) => weight));
  const openMetrics = best(
    ({ name, parameters }) =>
      name === "application/openmetrics-text" &&
      OPENMETRICS_VERSIONS.has(parameters.get("version") ?? "1.0.0"),
  );
  const text = best(({ name }) => name === "text/plain");
  return openMetrics > 0 && openMetrics >= text ? "openmetrics" : "text";
}

// 0.0.1 is the draft that Prometheus asks for beside 1.0.0; what we write is the same in both.
const OPENMETRICS_VERSIONS: ReadonlySet<string> = new Set(["1.0.0", "0.0.1"]);

export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const choices = choicesIn(acceptEncoding);
  const named = choices.find(({ name }) => name === "gzip") ?? choices.find(({ name }) => name === "*");
  return named !== undefined && named.weight > 0;
}

function choicesIn(header: string | undefined): readonly Choice[] {
  return (header ?? "").split(",").map((part) => {
    const [name = "", ...rest] = part.split(";").map((each) => each.trim().toLowerCase());
    const parameters = new Map(
      rest.map((each): [string, string] => {
        const [key = "", value = ""] = each.split("=");
        return [key.trim(), value.trim().replaceAll('"', "")];
      }),
    );
    const weight = Number(parameters.get("q") ?? 1);
    return { name, parameters, weight: weight >= 0 && weight <= 1 ? weight : 0 };
  });
}

/**
 * The text of an exposition. Sources: Prometheus, "Exposition formats", text format 0.0.4; OpenMetrics 1.0, "Text format".
 */
import { DEVICE_FAMILIES } from "./device-families.js";
import { familyHead, type Family } from "./family.js";
import { HOST_FAMILIES } from "./host-families.js";
import type { HostView } from "./host-view.js";
import { SPECIAL_FAMILIES } from "./special-families.js";

export type ExpositionFormat = "text" | "openmetrics";

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** In the order in which they are written. */
export const FAMILIES: readonly Family[] = [...HOST_FAMILIES, ...SPECIAL_FAMILIES, ...DEVICE_FAMILIES];

/**
 * One piece for each family that has samples: the whole text of a large fleet need never be in memory at once. A family is
 * made when its piece is taken.
 */
export function* exposition(hosts: readonly HostView[], format: ExpositionFormat): Generator<string, void> {
  for (const family of FAMILIES) {
    let samples = "";
    for (const host of hosts) samples += family.samples(host);
    if (samples !== "") yield `${familyHead(family, format === "openmetrics")}${samples}`;
  }
  if (format === "openmetrics") yield "# EOF\n";
}

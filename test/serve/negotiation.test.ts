/** Which format and encoding a request is answered with. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { acceptsGzip, formatAsked } from "../../src/serve/negotiation.js";

describe("Accept", () => {
  const cases: readonly (readonly [string | undefined, "text" | "openmetrics"])[] = [
    [undefined, "text"],
    ["*/*", "text"],
    ["text/html,*/*;q=0.8", "text"],
    // Prometheus 2.42 and 3.5.
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
    ["application/openmetrics-text", "openmetrics"],
    ["text/plain;version=0.0.4, application/openmetrics-text;q=0.5", "text"],
    ["application/openmetrics-text;q=0", "text"],
    ["application/openmetrics-text;version=2.0.0", "text"],
    ['APPLICATION/OpenMetrics-Text; version="1.0.0"', "openmetrics"],
    ["application/openmetrics-text;q=high", "text"],
  ];
  for (const [header, format] of cases)
    test(`${header ?? "none"}: ${format}`, () => assert.equal(formatAsked(header), format));
});

describe("Accept-Encoding", () => {
  const cases: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, false],
    ["", false],
    ["gzip", true],
    ["gzip, deflate, br", true],
    ["*", true],
    ["*;q=1, gzip;q=0", false],
    ["gzip;q=0", false],
    ["identity", false],
    ["br;q=1, gzip;q=0.001", true],
  ];
  for (const [header, isGzip] of cases)
    test(`${header ?? "none"}: ${isGzip}`, () => assert.equal(acceptsGzip(header), isGzip));
});

/** A real Prometheus that scrapes each second, and its answers. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.js";
import { until, type Programs } from "./serving.js";

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
}
type Metadata = Readonly<Record<string, readonly { readonly type: string; readonly unit: string }[]>>;

/** For `skip` of a test. */
export const WITHOUT_PROMETHEUS =
  spawnSync("prometheus", ["--version"]).status === 0 ? false : "SKIPPED LOUDLY: prometheus is not installed";

export class Prometheus {
  readonly #api: string;

  private constructor(port: number) {
    this.#api = `http://127.0.0.1:${port}/api/v1`;
  }

  /** Of each job its address, as `http://127.0.0.1:9400/metrics`. Writes below `dir`; has scraped each when it is back. */
  static async start(
    dir: string,
    jobs: Readonly<Record<string, string>>,
    programs: Programs,
  ): Promise<Prometheus> {
    const scrapes = Object.entries(jobs).map(
      ([name, url]) => `{job_name: ${name}, static_configs: [{targets: ["${new URL(url).host}"]}]}`,
    );
    mkdirSync(dir, { recursive: true });
    writeFileSync(
      join(dir, "prometheus.yml"),
      `{global: {scrape_interval: 1s}, scrape_configs: [${scrapes.join(", ")}]}\n`,
    );
    const port = await freePort();
    programs.start("prometheus", [
      ...[`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, "--log.level=error"],
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const server = new Prometheus(port);
    const isScraped = async (): Promise<boolean> => {
      const up = await server.query("up == 1").catch(() => []);
      return up.length === scrapes.length;
    };
    await until("the first scrapes", isScraped, 30_000);
    return server;
  }

  /** Throws where the expression is wrong. */
  async query(expr: string): Promise<readonly Series[]> {
    const path = `query?query=${encodeURIComponent(expr)}`;
    return (await this.#data<{ readonly result: readonly Series[] }>(path)).result;
  }

  /** Names of labels of the series that the selector matches. */
  labelNames(selector: string): Promise<readonly string[]> {
    return this.#data(`labels?match[]=${encodeURIComponent(selector)}`);
  }

  metadata(): Promise<Metadata> {
    return this.#data("metadata");
  }

  async #data<Data>(path: string): Promise<Data> {
    const response = await fetch(`${this.#api}/${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${text}`);
    return (JSON.parse(text) as { readonly data: Data }).data;
  }
}

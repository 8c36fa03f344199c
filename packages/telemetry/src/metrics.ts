// Counters, gauges and histograms in Prometheus's text format. Loaded by those who were asked for them.
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** How a metric is described. */
export interface MetricOptions<Label extends string> {
  /** Without the prefix: "expert_calls_total". Units belong in it: seconds, bytes. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** Something that only rises. */
export interface CounterMetric<Label extends string> {
  add(amount: number, labels?: Readonly<Record<Label, string>>): void;
}

/** How often something took how long. */
export interface HistogramMetric<Label extends string> {
  observe(value: number, labels?: Readonly<Record<Label, string>>): void;
}

/** What one gauge is now, for one set of labels. */
export interface GaugeReading<Label extends string> {
  readonly value: number;
  readonly labels?: Readonly<Record<Label, string>>;
}

/** One service's metrics. Every name begins with "octet_". */
export interface Metrics {
  counter<Label extends string = never>(options: MetricOptions<Label>): CounterMetric<Label>;
  /** A counter that something else keeps. @param read called at each scrape */
  readCounter(options: MetricOptions<never>, read: () => number): void;
  /** @param read called at each scrape; what it does not name any more is gone */
  gauge<Label extends string = never>(
    options: MetricOptions<Label>,
    read: () => readonly GaugeReading<Label>[],
  ): void;
  histogram<Label extends string = never>(
    options: MetricOptions<Label> & { readonly buckets: readonly number[] },
  ): HistogramMetric<Label>;
  /** Has `prepare` called before each scrape, to count what is counted elsewhere. */
  beforePrint(prepare: () => void): void;
  readonly contentType: string;
  /** The text that a scrape gets. */
  print(): Promise<string>;
}

const prefix = "octet_";

/** From 100 µs to 10 s: calls to experts, waiting and computing. */
export const callSecondsBuckets: readonly number[] = [
  0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** From 1 ms to 20 minutes: tokens and whole requests. */
export const requestSecondsBuckets: readonly number[] = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 20, 40, 80, 160,
  320, 640, 1280,
];

/** Metrics of a process, none yet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const preparations: (() => void)[] = [];
  const describe = <Label extends string>(options: MetricOptions<Label>) => ({
    name: prefix + options.name,
    help: options.help,
    labelNames: options.labels ?? [],
    registers,
  });
  return {
    counter(options) {
      const counter = new Counter(describe(options));
      return {
        add: (amount, labels) =>
          labels === undefined ? counter.inc(amount) : counter.inc(labels, amount),
      };
    },
    readCounter(options, read) {
      new Counter({
        ...describe(options),
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
    gauge(options, read) {
      new Gauge({
        ...describe(options),
        collect() {
          this.reset();
          for (const { value, labels } of read()) {
            if (labels === undefined) this.set(value);
            else this.set(labels, value);
          }
        },
      });
    },
    histogram(options) {
      const histogram = new Histogram({ ...describe(options), buckets: [...options.buckets] });
      return {
        observe: (value, labels) =>
          labels === undefined ? histogram.observe(value) : histogram.observe(labels, value),
      };
    },
    beforePrint: (prepare) => preparations.push(prepare),
    contentType: registry.contentType,
    print: () => {
      for (const prepare of preparations) prepare();
      return registry.metrics();
    },
  };
}

import type { Meter } from '@postrider/domain'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

const PREFIX = 'postrider_'
/** Seconds; deliveries and requests lie between a millisecond and half a minute. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Different label sets of one metric; more are counted together, so that no client can fill the memory. */
export const MAX_SERIES = 500

type Labels = Readonly<Record<string, string>>
const none: Labels = {}

/** The domain's meter over prom-client. Metrics come to be when they are first used, with the label names used then. */
export class Metrics implements Meter {
  readonly registry = new Registry()
  readonly #counters = new Map<string, Counter>()
  readonly #gauges = new Map<string, Gauge>()
  readonly #histograms = new Map<string, Histogram>()
  readonly #series = new Map<string, Set<string>>()

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: PREFIX })
  }

  count(name: string, labels: Labels = none, by = 1): void {
    let counter = this.#counters.get(name)
    if (counter === undefined) {
      counter = new Counter({
        name: PREFIX + name,
        help: name,
        labelNames: Object.keys(labels),
        registers: [this.registry],
      })
      this.#counters.set(name, counter)
    }
    counter.inc(this.#bounded(name, labels), by)
  }
  gauge(name: string, value: number, labels: Labels = none): void {
    let gauge = this.#gauges.get(name)
    if (gauge === undefined) {
      gauge = new Gauge({
        name: PREFIX + name,
        help: name,
        labelNames: Object.keys(labels),
        registers: [this.registry],
      })
      this.#gauges.set(name, gauge)
    }
    gauge.set(this.#bounded(name, labels), value)
  }
  observe(name: string, seconds: number, labels: Labels = none): void {
    let histogram = this.#histograms.get(name)
    if (histogram === undefined) {
      const labelNames = Object.keys(labels)
      histogram = new Histogram({ name: PREFIX + name, help: name, labelNames, buckets, registers: [this.registry] })
      this.#histograms.set(name, histogram)
    }
    histogram.observe(this.#bounded(name, labels), seconds)
  }
  /** A gauge that is asked when somebody looks. */
  watch(name: string, read: () => number): void {
    this.#gauges.set(
      name,
      new Gauge({
        name: PREFIX + name,
        help: name,
        registers: [this.registry],
        collect() {
          this.set(read())
        },
      }),
    )
  }

  #bounded(name: string, labels: Labels): Labels {
    const key = Object.values(labels).join('\0')
    let series = this.#series.get(name)
    if (series === undefined) {
      series = new Set()
      this.#series.set(name, series)
    }
    if (series.has(key)) return labels
    if (series.size >= MAX_SERIES) return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']))
    series.add(key)
    return labels
  }
}

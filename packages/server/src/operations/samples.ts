/**
 * Metrics read back from their text (Prometheus exposition format 0.0.4), and what two looks at them say about the time between:
 * `postrider top` sees what a Prometheus server would see.
 */

export interface Sample {
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}
/** Samples by the name of their series. */
export type Samples = ReadonlyMap<string, readonly Sample[]>

/** More series are not looked at: {@link MAX_SERIES} of each of our metrics stays far below. */
const MAX_SAMPLES = 100_000
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g

/** Reads the text of /metrics. What is no sample is passed over. */
export function readSamples(text: string): Samples {
  const samples = new Map<string, Sample[]>()
  let count = 0
  for (const line of text.split('\n')) {
    const [, name, inside = '', number] = LINE.exec(line) ?? []
    if (name === undefined || number === undefined || ++count > MAX_SAMPLES) continue
    const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number)
    if (Number.isNaN(value)) continue
    const labels = new Map([...inside.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text] as const))
    const series = samples.get(name)
    if (series === undefined) samples.set(name, [{ labels, value }])
    else series.push({ labels, value })
  }
  return samples
}

/** The sum over all series of a name, or over those `only` wants. 0 when there is none. */
export function total(
  samples: Samples,
  name: string,
  only: (labels: Sample['labels']) => boolean = () => true,
): number {
  return (samples.get(name) ?? []).reduce((sum, { labels, value }) => (only(labels) ? sum + value : sum), 0)
}

/** The largest of a name's series; 0 when there is none. */
export const largest = (samples: Samples, name: string): number =>
  (samples.get(name) ?? []).reduce((most, { value }) => Math.max(most, value), 0)

/**
 * A quantile of what a histogram took in between two looks, in the histogram's unit: interpolated within its bucket like Prometheus's
 * histogram_quantile. Undefined when nothing came in; the lower bound of the last bucket for what lies beyond it.
 */
export function quantile(before: Samples, after: Samples, name: string, q: number): number | undefined {
  const series = `${name}_bucket`
  const bounds = new Map<number, number>()
  for (const [samples, sign] of [
    [after, 1],
    [before, -1],
  ] as const)
    for (const { labels, value } of samples.get(series) ?? []) {
      const text = labels.get('le') ?? ''
      const bound = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)
      bounds.set(bound, (bounds.get(bound) ?? 0) + sign * value)
    }
  const sorted = [...bounds].sort(([a], [b]) => a - b)
  const all = sorted.at(-1)?.[1] ?? 0
  if (!(all > 0)) return undefined
  const rank = q * all
  let [low, below] = [0, 0]
  for (const [bound, count] of sorted) {
    if (count >= rank) {
      if (bound === Number.POSITIVE_INFINITY) return low
      return count === below ? bound : low + ((bound - low) * (rank - below)) / (count - below)
    }
    ;[low, below] = [bound, count]
  }
  return low
}

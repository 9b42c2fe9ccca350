/** Figures of a benchmark: medians and spread, printed as a table that docs/BENCHMARKS.md can take over. */
export const median = (values: readonly number[]): number => percentile(values, 0.5)

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}

export interface Row {
  readonly what: string
  readonly ours: string
  readonly peer?: string
  readonly ratio?: string
}

export function table(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}\n`)
  console.log('| what | Postrider | peer | ratio |')
  console.log('|---|---|---|---|')
  for (const row of rows) console.log(`| ${row.what} | ${row.ours} | ${row.peer ?? ''} | ${row.ratio ?? ''} |`)
}

/** Event-loop stalls over 50 ms as the server itself counts them, from its metrics page. */
export async function stalls(metrics: string): Promise<string> {
  const lines = metrics.split('\n').filter((line) => /stall/.test(line) && !line.startsWith('#'))
  return lines.join('; ')
}

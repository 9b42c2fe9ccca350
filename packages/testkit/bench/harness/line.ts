/** What is measured, and what it must reach. A line is one row of a table: our values and the peers', one per run, taken in turns. */
export interface Line {
  readonly what: string
  readonly unit: '/s' | 'ms' | 'MB/s' | 'KB' | 's' | 'frames' | 'nodes'
  readonly better: 'more' | 'less'
  readonly ours: readonly number[]
  /** By the peer's name. Empty where there is none to compare with. */
  readonly peers: Readonly<Record<string, readonly number[]>>
  readonly goals: readonly Goal[]
  /** What a reader must know beside the figures. */
  readonly note?: string
}

/** `times`: our median against the peer's (default: the better one's). `limit`: our median against a number in the line's unit. */
export type Goal = { readonly times: number; readonly peer?: string } | { readonly limit: number }

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN
}

/** The peer whose median is the better one. */
export function bestPeer({ better, peers }: Line): { readonly name: string; readonly value: number } | undefined {
  let best: { name: string; value: number } | undefined
  for (const [name, values] of Object.entries(peers)) {
    if (values.length === 0) continue
    const value = median(values)
    if (best === undefined || (better === 'more' ? value > best.value : value < best.value)) best = { name, value }
  }
  return best
}

/** Our median over the better peer's. */
export function ratio(line: Line): number | undefined {
  const best = bestPeer(line)
  return best === undefined || best.value === 0 || line.ours.length === 0 ? undefined : median(line.ours) / best.value
}

/** Whether every goal is reached; undefined where nothing was to be reached or the peer is missing. */
export function reached(line: Line): boolean | undefined {
  if (line.goals.length === 0 || line.ours.length === 0) return undefined
  const ours = median(line.ours)
  let all = true
  for (const goal of line.goals) {
    const measure = 'limit' in goal ? goal.limit : boundOf(line, goal)
    if (measure === undefined) return undefined
    all &&= line.better === 'more' ? ours >= measure : ours <= measure
  }
  return all
}

function boundOf(line: Line, { times, peer }: { times: number; peer?: string }): number | undefined {
  const values = peer === undefined ? undefined : line.peers[peer]
  const value = values === undefined ? bestPeer(line)?.value : median(values)
  return value === undefined ? undefined : value * times
}

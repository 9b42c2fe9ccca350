import type { Line } from './line.ts'
import type { Stage } from './stage.ts'

/** How large and how often. */
export interface Scale {
  readonly runs: number
  readonly quick: boolean
  /** Only these parts of the rows; undefined: all. */
  readonly parts?: readonly string[] | undefined
}

/** One row of the table in docs/BENCHMARKS.md, or a family of them. */
export interface Scenario {
  /** For `--rows`. */
  readonly name: string
  readonly title: string
  /** How it is measured, in a sentence or two, for the reader of the table. */
  readonly method: string
  /** What it can be measured by, each on its own (`--part`). */
  readonly parts?: readonly string[]
  /** It is given up after so many seconds. */
  readonly seconds: number
  /** Measures in turns; every line handed to `done` counts even if a later one fails. */
  measure(stage: Stage, done: (line: Line) => void): Promise<void>
}

/** Runs everybody in turns, `runs` times over, so that what else the machine does hits all alike. Values by name. */
export async function inTurns<Name extends string>(
  runs: number,
  takers: Readonly<Record<Name, (run: number) => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const values = Object.fromEntries(Object.keys(takers).map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let run = 0; run < runs; run++) {
    for (const [name, take] of Object.entries(takers) as [Name, (run: number) => Promise<number>][]) {
      values[name].push(await take(run))
    }
  }
  return values
}

/** Does `work` for all numbers below `count`, `parallel` at a time. */
export async function each(count: number, parallel: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: Math.min(parallel, count) }, async () => {
      for (let i = next++; i < count; i = next++) await work(i)
    }),
  )
}

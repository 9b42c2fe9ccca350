import { bestPeer, type Goal, type Line, median, ratio, reached } from './line.ts'

/** The last result of one row of the table, as docs/benchmarks.json keeps it. */
export interface Result {
  readonly name: string
  readonly title: string
  readonly method: string
  readonly runs: number
  readonly quick: boolean
  readonly date: string
  readonly lines: readonly Line[]
  /** Why there are none, or not all. */
  readonly failed?: string
}

const BEGIN = '<!-- figures: written by packages/testkit/bench/all.ts, not by hand -->'
const END = '<!-- end of figures -->'

/** The document with what stands between the marks replaced; the hand-written text stays. */
export function inDocument(document: string, block: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (from < 0 || to < from) throw new Error('the document has no place for the figures')
  return `${document.slice(0, from + BEGIN.length)}\n${block.trim()}\n${document.slice(to)}`
}

/** All results as Markdown: what is not reached first, then a table for each row. */
export function report(results: readonly Result[], machine: string): string {
  const lines = results.flatMap((result) => result.lines.map((line) => ({ result, line })))
  const verdicts = lines.map(({ line }) => reached(line))
  const count = (verdict: boolean): number => verdicts.filter((one) => one === verdict).length
  const lost = lines.filter(({ line }) => reached(line) === false)
  const parts = [
    `${machine}\n`,
    `${count(true)} of ${count(true) + count(false)} goals reached.`,
    '\n### Where we lose\n',
    lost.length === 0
      ? 'Nowhere in this run.'
      : lost.map(({ result, line }) => `- ${result.title}: ${line.what}: ${comparison(line)}`).join('\n'),
  ]
  for (const result of results) parts.push(section(result))
  return parts.join('\n')
}

function comparison(line: Line): string {
  const best = bestPeer(line)
  const against = best === undefined ? '' : `, ${best.name} ${figure(best.value)} (ratio ${ratio(line)?.toFixed(2)})`
  return `${figure(median(line.ours))} ${line.unit}${against}; goal ${line.goals.map((goal) => goalText(line, goal)).join(', ')}`
}

function section({ name, title, method, runs, quick, date, lines, failed }: Result): string {
  const peers = [...new Set(lines.flatMap((line) => Object.keys(line.peers)))]
  const head = ['what', 'unit', 'Postrider', ...peers, 'ratio', 'goal', 'reached']
  const rows = lines.map((line) => [
    line.note === undefined ? line.what : `${line.what} (${line.note})`,
    line.unit,
    spread(line.ours),
    ...peers.map((peer) => spread(line.peers[peer] ?? [])),
    ratio(line)?.toFixed(2) ?? '',
    line.goals.map((goal) => goalText(line, goal)).join(', '),
    { true: 'yes', false: '**no**', undefined: '' }[String(reached(line)) as 'true' | 'false' | 'undefined'],
  ])
  return [
    `\n### ${title}\n`,
    `\`node packages/testkit/bench/all.ts --rows ${name}\`, ${date}, runs: ${runs}${quick ? ', quick: sizes far below what counts' : ''}. ${method}\n`,
    failed === undefined ? '' : `Not measured to the end: ${failed}\n`,
    rows.length === 0 ? '' : [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** Median, and from lowest to highest. */
function spread(values: readonly number[]): string {
  if (values.length === 0) return ''
  if (values.length === 1) return figure(values[0] as number)
  return `${figure(median(values))} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`
}

function goalText(line: Line, goal: Goal): string {
  const sign = line.better === 'more' ? '≥' : '≤'
  if ('limit' in goal) return `${sign} ${figure(goal.limit)}`
  return `${sign} ${Number(goal.times.toPrecision(2))} ×${goal.peer === undefined ? '' : ` ${goal.peer}`}`
}

/** Three digits that count. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(3)))
}

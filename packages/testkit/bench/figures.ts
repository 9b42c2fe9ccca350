import type { TestServer } from '../src/server/index.ts'

/** Figures of a benchmark, printed as a table. */
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

/** Event-loop stalls over 50 ms since the start, as the server itself counts them. */
export async function stalls(server: TestServer): Promise<string> {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  const metrics = await (await fetch(`https://127.0.0.1:${server.port('https')}/metrics`)).text()
  return [...metrics.matchAll(/^postrider_event_loop_stalls_total\{thread="([^"]+)"\} (\d+)$/gm)]
    .map(([, thread, count]) => `${thread} ${count}`)
    .join(', ')
}

import type { TestServer } from '../../src/server/index.ts'
import type { Scenario } from '../harness/scenario.ts'

export const stalls: Scenario = {
  name: 'stalls',
  title: 'Event-loop stalls in all of the above',
  method:
    "Of every thread of the servers that did the rows before it in the same command, from their start to the end: 99.9 % of the loop's turns are no longer late than this. `event_loop_delay_p999_seconds` of /metrics.",
  seconds: 30,
  async measure(stage, done) {
    for (const [what, server] of [
      ['the server of the IMAP and SMTP rows', await stage.ours],
      ['the server with 1,000 mailboxes', (await stage.crowd).server],
    ] as const) {
      const worst = Math.max(0, ...(await delays(server)))
      done({ what, unit: 'ms', better: 'less', ours: [worst], peers: {}, goals: [{ limit: 50 }] })
    }
  },
}

/** p99.9 by thread, ms. */
async function delays(server: TestServer): Promise<number[]> {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  const metrics = await (await fetch(`https://127.0.0.1:${server.port('https')}/metrics`)).text()
  return [...metrics.matchAll(/^postrider_event_loop_delay_p999_seconds\{[^}]*\} (\S+)$/gm)].map(
    ([, seconds]) => Number(seconds) * 1_000,
  )
}

import { sleep, until } from '../../src/process/index.ts'
import { percentile } from '../harness/line.ts'
import { held, inbox, makePhones } from '../harness/phones.ts'
import type { RawImap } from '../harness/raw-imap.ts'
import { each, type Scenario } from '../harness/scenario.ts'
import { smtpLoad } from '../harness/smtp-load.ts'
import { DOMAIN, ourSubject } from '../harness/stage.ts'

const rates = [
  { rate: 200, limit: 100 },
  { rate: 1_000, limit: 300 },
] as const
const ROUNDS = 3
const CONNECTIONS = 20
/** Until all Pings are held. */
const HOLD_MS = 6_000

export const ring: Scenario = {
  name: 'ring',
  title: "SMTP 250 to IDLE's EXISTS and to the Ping's answer, 2,000 held",
  method:
    '1,000 mailboxes, each with a session in IDLE and a held Ping; each gets one mail of 4 KB, so many a second. p99 of all, median of three rounds. Between rounds the phones sync and hold again.',
  seconds: 300,
  async measure(stage, done) {
    const { server, boxes } = await stage.crowd
    await server.stop()
    await server.restart()
    const subject = ourSubject(server)
    const sessions: RawImap[] = []
    const exists = new Map<string, number>()
    const rung = new Map<string, number>()
    await each(boxes.length, 16, async (i) => {
      const box = boxes[i] as string
      const session = await subject.login(box)
      await session.command('SELECT INBOX')
      await session.idle()
      session.heard = (chunk) => {
        if (chunk.includes(' EXISTS')) exists.set(box, performance.now())
      }
      sessions[i] = session
    })
    const phones = await makePhones(server, boxes, boxes.length)
    const end = new AbortController()
    for (const { rate, limit } of rates) {
      const p99 = { idle: [] as number[], ping: [] as number[] }
      for (let round = 0; round < Math.min(ROUNDS, stage.runs); round++) {
        exists.clear()
        rung.clear()
        const pings = phones.map(async (phone, i) => {
          if (await held(phone, end.signal)) rung.set(boxes[i] as string, performance.now())
        })
        await sleep(stage.size(HOLD_MS, 500))
        const accepted = new Map<string, number>()
        await smtpLoad({
          port: server.port('smtp'),
          connections: CONNECTIONS,
          to: boxes.map((box) => `${box}@${DOMAIN}`),
          bytes: 4_096,
          messages: boxes.length,
          rate,
          accepted: (to) => accepted.set(to.slice(0, to.indexOf('@')), performance.now()),
        })
        await Promise.all(pings)
        await until('every session has heard', () => exists.size === boxes.length, 30_000)
        const late = (heard: ReadonlyMap<string, number>): number[] =>
          boxes.map((box) => Math.max(0, (heard.get(box) ?? Number.NaN) - (accepted.get(box) ?? 0)))
        p99.idle.push(percentile(late(exists), 0.99))
        p99.ping.push(percentile(late(rung), 0.99))
        await each(phones.length, 16, (i) => inbox(phones[i] as (typeof phones)[number]))
      }
      for (const [what, ours] of [
        ['IDLE', p99.idle],
        ['Ping', p99.ping],
      ] as const) {
        done({
          what: `${what}, ${rate} deliveries/s, p99`,
          unit: 'ms',
          better: 'less',
          ours,
          peers: {},
          goals: [{ limit }],
        })
      }
    }
    for (const session of sessions) session.close()
  },
}

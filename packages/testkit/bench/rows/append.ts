import { each, inTurns, type Scenario } from '../harness/scenario.ts'
import { mailNumber, multiAppend, type Subject } from '../harness/stage.ts'

const kinds = [
  { what: '1 session', sessions: 1, batch: 1, times: 2 },
  { what: '4 sessions', sessions: 4, batch: 1, times: 2 },
  { what: 'MULTIAPPEND of 50', sessions: 1, batch: 50, times: 1 },
] as const

export const append: Scenario = {
  name: 'append',
  title: 'IMAP APPEND, durable, 3.2 KB',
  method: 'One APPEND after the other over TLS with non-synchronising literals (LITERAL+); mails a second.',
  seconds: 180,
  async measure(stage, done) {
    const subjects = await stage.subjects
    const seconds = stage.size(1.5, 0.2)
    for (const { what, sessions, batch, times } of kinds) {
      const [head, rest] = multiAppend(Array.from({ length: batch }, (_, i) => mailNumber(i)))
      const rate = async (subject: Subject): Promise<number> => {
        const clients = await Promise.all(Array.from({ length: sessions }, () => subject.login('box0')))
        let count = 0
        const began = performance.now()
        await each(sessions, sessions, async (i) => {
          while (performance.now() - began < seconds * 1_000) {
            await clients[i]?.command(`APPEND INBOX ${head}`, rest)
            count += batch
          }
        })
        const took = performance.now() - began
        for (const client of clients) client.close()
        return (count * 1_000) / took
      }
      const taken = await inTurns(stage.runs, Object.fromEntries(subjects.map((one) => [one.name, () => rate(one)])))
      const { Postrider: ours = [], ...peers } = taken
      done({ what, unit: '/s', better: 'more', ours, peers, goals: [{ times }] })
    }
  },
}

import { each, inTurns, type Scenario } from '../harness/scenario.ts'
import { processorTime } from '../harness/processes.ts'
import type { Subject } from '../harness/stage.ts'

const PARALLEL = 8

export const login: Scenario = {
  name: 'login',
  title: 'Connect, TLS, LOGIN, SELECT of 10,000 mails, 8 parallel',
  method:
    'A full TLS 1.3 handshake each time, then LOGIN and SELECT, then the connection is dropped. The client takes its share of the same cores.',
  seconds: 120,
  async measure(stage, done) {
    const subjects = await stage.filled
    const cpu = new Map<string, number[]>()
    const rate = async (subject: Subject): Promise<number> => {
      const seconds = stage.size(2, 0.3)
      const before = processorTime(subject.pid)
      const began = performance.now()
      let count = 0
      await each(PARALLEL, PARALLEL, async () => {
        while (performance.now() - began < seconds * 1_000) {
          const imap = await subject.login()
          await imap.command('SELECT INBOX')
          imap.close()
          count++
        }
      })
      const took = performance.now() - began
      cpu.set(subject.name, [...(cpu.get(subject.name) ?? []), (processorTime(subject.pid) - before) / count])
      return (count * 1_000) / took
    }
    const taken = await inTurns(stage.runs, Object.fromEntries(subjects.map((one) => [one.name, () => rate(one)])))
    const { Postrider: ours = [], ...peers } = taken
    done({ what: 'logins', unit: '/s', better: 'more', ours, peers, goals: [{ times: 1.5 }] })
    done({
      what: 'processor time of the server for one',
      unit: 'ms',
      better: 'less',
      ours: cpu.get('Postrider') ?? [],
      peers: {},
      goals: [],
    })
  },
}

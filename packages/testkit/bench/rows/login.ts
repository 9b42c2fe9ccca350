import { each, inTurns, type Scenario } from '../harness/scenario.ts'
import { processorTime } from '../harness/processes.ts'
import type { How } from '../harness/raw-imap.ts'
import type { Subject } from '../harness/stage.ts'

const PARALLEL = 8

export const login: Scenario = {
  name: 'login',
  title: 'Connect, TLS, LOGIN, SELECT of 10,000 mails, 8 parallel',
  method:
    'A full TLS 1.3 handshake each time with X25519, then LOGIN and SELECT, then the connection is dropped. The client takes its share of the same cores. X25519MLKEM768, which newer clients offer, Dovecot of Debian 12 does not have.',
  seconds: 150,
  async measure(stage, done) {
    const subjects = await stage.filled
    const cpu = new Map<string, number[]>()
    const rate = async (subject: Subject, how: How = 'X25519'): Promise<number> => {
      const seconds = stage.size(2, 0.3)
      const before = processorTime(subject.pid)
      const began = performance.now()
      let count = 0
      await each(PARALLEL, PARALLEL, async () => {
        while (performance.now() - began < seconds * 1_000) {
          const imap = await subject.login(undefined, how)
          await imap.command('SELECT INBOX')
          imap.close()
          count++
        }
      })
      const took = performance.now() - began
      if (how === 'X25519')
        cpu.set(subject.name, [...(cpu.get(subject.name) ?? []), (processorTime(subject.pid) - before) / count])
      return (count * 1_000) / took
    }
    const own = subjects.filter(({ name }) => name === 'Postrider')
    const taken = await inTurns(
      stage.runs,
      Object.fromEntries([
        ...subjects.map((one) => [one.name, () => rate(one)] as const),
        ...own.map((one) => ['hybrid', () => rate(one, 'X25519MLKEM768')] as const),
      ]),
    )
    const { Postrider: ours = [], hybrid = [], ...peers } = taken
    done({ what: 'logins', unit: '/s', better: 'more', ours, peers, goals: [{ times: 1.5 }] })
    done({ what: 'logins with X25519MLKEM768', unit: '/s', better: 'more', ours: hybrid, peers: {}, goals: [] })
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

import { inTurns, type Scenario } from '../harness/scenario.ts'
import { smtpLoad } from '../harness/smtp-load.ts'
import { boxes, DOMAIN } from '../harness/stage.ts'

const goals: Readonly<Record<number, number>> = { 1: 2, 10: 4, 64: 5 }

export const accept: Scenario = {
  name: 'accept',
  title: 'Durable SMTP accept, 4 KB',
  method:
    'Kept-open sessions, one mail after the other, 20 recipients in turn; what counts is the 250 behind the data. Postfix queues durably and discards behind it; ours delivers before it answers.',
  seconds: 180,
  async measure(stage, done) {
    const postfix = await stage.postfix('nowhere')
    const ours = await stage.ours
    const seconds = stage.size(3, 0.3)
    for (const connections of [1, 10, 64]) {
      const load = (port: number, domain: string, span = seconds) =>
        smtpLoad({ port, connections, to: boxes(20).map((box) => `${box}@${domain}`), bytes: 4_096, seconds: span })
      const rate = async (port: number, domain: string): Promise<number> => (await load(port, domain)).perSecond
      await load(ours.port('smtp'), DOMAIN, seconds / 3)
      const taken = await inTurns(stage.runs, {
        ours: () => rate(ours.port('smtp'), DOMAIN),
        Postfix: () => rate(postfix.port, postfix.domain),
      })
      done({
        what: `${connections} session${connections === 1 ? '' : 's'}`,
        unit: '/s',
        better: 'more',
        ours: taken.ours,
        peers: { Postfix: taken.Postfix },
        goals: [{ times: goals[connections] as number }],
      })
    }
  },
}

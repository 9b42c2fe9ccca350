import type { Line } from '../harness/line.ts'
import { inTurns, type Scenario } from '../harness/scenario.ts'
import type { Subject } from '../harness/stage.ts'

const commands = ['COPY', 'STORE', 'MOVE', 'EXPUNGE'] as const

export const change: Scenario = {
  name: 'change',
  title: 'STORE, COPY, MOVE, EXPUNGE of 1,000 mails',
  method:
    'COPY of 1,000 of 10,000 into a new folder, STORE +FLAGS there, MOVE into another, there STORE \\Deleted (not timed) and EXPUNGE; over TLS.',
  seconds: 120,
  async measure(stage, done) {
    const subjects = await stage.filled
    const count = stage.size(1_000, 50)
    const times = new Map<string, number[]>()
    const round = async (subject: Subject, run: number): Promise<number> => {
      const imap = await subject.login()
      const [first, second] = [`first${run}`, `second${run}`]
      await imap.command(`CREATE ${first}`)
      await imap.command(`CREATE ${second}`)
      const note = (command: string, { ms }: { ms: number }): void => {
        const key = `${command} ${subject.name}`
        times.set(key, [...(times.get(key) ?? []), ms])
      }
      await imap.command('SELECT INBOX')
      note('COPY', await imap.command(`UID COPY 1:${count} ${first}`))
      await imap.command(`SELECT ${first}`)
      note('STORE', await imap.command('UID STORE 1:* +FLAGS (\\Flagged)'))
      note('MOVE', await imap.command(`UID MOVE 1:* ${second}`))
      await imap.command(`SELECT ${second}`)
      await imap.command('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
      note('EXPUNGE', await imap.command('EXPUNGE'))
      await imap.command('SELECT INBOX')
      await imap.command(`DELETE ${first}`)
      await imap.command(`DELETE ${second}`)
      imap.close()
      return 0
    }
    await inTurns(
      stage.runs,
      Object.fromEntries(subjects.map((subject) => [subject.name, (run: number) => round(subject, run)])),
    )
    for (const what of commands) {
      const of = (name: string): number[] => times.get(`${what} ${name}`) ?? []
      const peers: Line['peers'] = { 'Dovecot mdbox': of('Dovecot mdbox'), 'Dovecot maildir': of('Dovecot maildir') }
      const goals = [
        { times: 2, peer: 'Dovecot mdbox' },
        { times: 0.5, peer: 'Dovecot maildir' },
      ]
      done({ what, unit: 'ms', better: 'less', ours: of('Postrider'), peers, goals })
    }
  },
}

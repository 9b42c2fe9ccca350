import type { Scenario } from '../harness/scenario.ts'
import { timed } from './timed.ts'

const CHANGES = 100

export const resync: Scenario = {
  name: 'resync',
  title: 'Reconnect by QRESYNC with 100 changes in 10,000 mails',
  method: 'Another session has changed 100 flags; SELECT with QRESYNC of a session that knew the folder before.',
  seconds: 90,
  measure: (stage, done) =>
    timed(
      stage,
      [
        {
          what: 'SELECT (QRESYNC …)',
          goals: [{ times: 1 }],
          async take(imap, _, run) {
            await imap.command('ENABLE QRESYNC')
            const status = await imap.ask('STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)')
            const [, validity, modSeq] = /UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)/.exec(status) ?? []
            await imap.command('SELECT INBOX')
            const step = Math.floor(stage.mails / CHANGES)
            const changed = Array.from({ length: CHANGES }, (_unused, i) => 1 + i * step).join(',')
            await imap.command(`UID STORE ${changed} ${run % 2 === 0 ? '+' : '-'}FLAGS.SILENT (\\Answered)`)
            await imap.command('UNSELECT')
            return (await imap.command(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`)).ms
          },
        },
      ],
      done,
    ),
}

import { inTurns, type Scenario } from '../harness/scenario.ts'
import { dropFromCache } from '../harness/processes.ts'
import { timed, timeOf } from './timed.ts'

const THUNDERBIRD =
  'From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To'

const commands = [
  ['FLAGS', 'UID FETCH 1:* (FLAGS)'],
  ["Thunderbird's 14 header fields", `UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (${THUNDERBIRD})])`],
  ['ENVELOPE', 'UID FETCH 1:* (ENVELOPE)'],
  ['BODYSTRUCTURE', 'UID FETCH 1:* (BODYSTRUCTURE)'],
] as const

export const fetchWarm: Scenario = {
  name: 'fetch',
  title: 'UID FETCH 1:* of 10,000 mails, warm',
  method: 'Over TLS; the best of three in one session counts as a run. Dovecot answers from its cache files.',
  seconds: 120,
  measure: (stage, done) =>
    timed(
      stage,
      [
        { what: 'SELECT', goals: [], take: timeOf('SELECT INBOX') },
        ...commands.map(([what, command]) => ({ what, goals: [{ times: 1 }], take: timeOf(command) })),
      ],
      done,
    ),
}

export const fetchCold: Scenario = {
  name: 'fetch-cold',
  title: 'UID FETCH 1:* of 10,000 mails, cold',
  method:
    'Each server started anew and its files (of the maildir, the index and cache files) taken out of the page cache before each command; login and SELECT are not in the time. Dovecot keeps its cache files.',
  seconds: 240,
  async measure(stage, done) {
    const subjects = await stage.filled
    for (const [what, command] of commands) {
      const taken = await inTurns(
        Math.min(stage.runs, 3),
        Object.fromEntries(
          subjects.map((subject) => [
            subject.name,
            async () => {
              await subject.restart()
              await dropFromCache(subject.folder, subject.name === 'Dovecot maildir' ? 'dovecot*' : '*')
              const imap = await subject.login()
              await imap.command('SELECT INBOX')
              const { ms } = await imap.command(command)
              imap.close()
              return ms
            },
          ]),
        ),
      )
      const { Postrider: ours = [], ...peers } = taken
      done({ what, unit: 'ms', better: 'less', ours, peers, goals: [{ times: 1 }] })
    }
  },
}

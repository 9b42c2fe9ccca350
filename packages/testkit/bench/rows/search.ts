import type { Scenario } from '../harness/scenario.ts'
import { RARE_WORD } from '../harness/stage.ts'
import { timed, timeOf } from './timed.ts'

export const search: Scenario = {
  name: 'search',
  title: 'SEARCH, SORT, THREAD in 10,000 mails',
  method:
    'Over TLS; the best of three in one session counts as a run. Dovecot has no text index, as Debian installs it.',
  seconds: 180,
  measure: (stage, done) =>
    timed(
      stage,
      [
        { what: 'SEARCH TEXT, rare word', goals: [{ times: 1 / 50 }], take: timeOf(`SEARCH TEXT ${RARE_WORD}`) },
        { what: 'SEARCH SUBJECT', goals: [{ times: 1 / 3 }], take: timeOf('SEARCH SUBJECT "report 77"') },
        { what: 'SORT (SUBJECT)', goals: [{ times: 1 }], take: timeOf('SORT (SUBJECT) UTF-8 ALL') },
        { what: 'SORT (DATE)', goals: [{ times: 1 }], take: timeOf('SORT (DATE) UTF-8 ALL') },
        { what: 'THREAD REFERENCES', goals: [{ times: 1 }], take: timeOf('THREAD REFERENCES UTF-8 ALL') },
      ],
      done,
    ),
}

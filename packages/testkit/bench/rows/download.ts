import { inTurns, type Scenario } from '../harness/scenario.ts'

export const download: Scenario = {
  name: 'download',
  title: 'Download of 10,000 mails (33 MB)',
  method:
    '`UID FETCH 1:* (BODY.PEEK[])`; the client only counts octets (and takes TLS off). Not measured without TLS: ours takes no password there.',
  seconds: 120,
  async measure(stage, done) {
    const subjects = await stage.filled
    {
      const taken = await inTurns(
        stage.runs,
        Object.fromEntries(
          subjects.map((subject) => [
            subject.name,
            async () => {
              const imap = await subject.login()
              await imap.command('SELECT INBOX')
              const { ms, bytes } = await imap.command('UID FETCH 1:* (BODY.PEEK[])')
              imap.close()
              return bytes / 1_000 / ms
            },
          ]),
        ),
      )
      const { Postrider: ours = [], ...peers } = taken
      done({ what: 'TLS', unit: 'MB/s', better: 'more', ours, peers, goals: [{ times: 1 }] })
    }
  },
}

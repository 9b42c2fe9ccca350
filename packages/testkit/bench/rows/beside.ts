import { percentile } from '../harness/line.ts'
import { inTurns, type Scenario } from '../harness/scenario.ts'
import { smtpLoad } from '../harness/smtp-load.ts'
import { DOMAIN, fill, type Subject } from '../harness/stage.ts'

const RATE = 100

export const beside: Scenario = {
  name: 'beside',
  title: 'Small SELECT and 2 FETCH beside a download and deliveries',
  method:
    'One session opens a folder of 100 mails, fetches its flags and one mail, again and again, while another downloads 10,000 mails in a loop and 100 mails a second of 4 KB arrive (at the peer by LMTP through Postfix). p99 of the three commands together.',
  seconds: 150,
  async measure(stage, done) {
    const subjects = await stage.filled
    const server = await stage.ours
    const postfix = await stage.postfix({ lmtpPort: (await stage.mdbox).lmtpPort })
    for (const subject of subjects) {
      const imap = await subject.login()
      await imap.command('CREATE small')
      await fill(imap, 'small', 100)
      imap.close()
    }
    const taken = subjects.filter(({ name }) => name !== 'Dovecot maildir')
    const take = async (subject: Subject): Promise<number> => {
      const seconds = stage.size(4, 0.5)
      const end = performance.now() + seconds * 1_000
      const ours = subject.name === 'Postrider'
      const load = smtpLoad({
        port: ours ? server.port('smtp') : postfix.port,
        connections: 4,
        to: [`box1@${ours ? DOMAIN : postfix.domain}`],
        bytes: 4_096,
        seconds,
        rate: RATE,
      })
      const [reader, small] = [await subject.login(), await subject.login()]
      await reader.command('SELECT INBOX')
      const downloads = async (): Promise<void> => {
        while (performance.now() < end) await reader.command('UID FETCH 1:* (BODY.PEEK[])')
      }
      const times: number[] = []
      const opens = async (): Promise<void> => {
        while (performance.now() < end) {
          const began = performance.now()
          await small.command('SELECT small')
          await small.command('FETCH 1:* (FLAGS)')
          await small.command('FETCH 50 (BODY.PEEK[])')
          times.push(performance.now() - began)
        }
      }
      await Promise.all([load, downloads(), opens()])
      reader.close()
      small.close()
      return percentile(times, 0.99)
    }
    const values = await inTurns(stage.runs, Object.fromEntries(taken.map((one) => [one.name, () => take(one)])))
    const { Postrider: ours = [], ...peers } = values
    done({ what: 'SELECT + 2 FETCH, p99', unit: 'ms', better: 'less', ours, peers, goals: [{ limit: 20 }] })
  },
}

import { until } from '../../src/process/index.ts'
import type { PostfixPeer } from '../../src/peers/index.ts'
import { inTurns, type Scenario } from '../harness/scenario.ts'
import { smtpLoad } from '../harness/smtp-load.ts'
import { boxes, DOMAIN } from '../harness/stage.ts'

const CONNECTIONS = 20

export const deliver: Scenario = {
  name: 'deliver',
  title: 'SMTP to mailbox, delivered and visible',
  method:
    '20 sessions send a fixed number of mails; the clock stops when the last one is in its mailbox: for Postfix with Dovecot LMTP when the queue is empty, for ours with the last 250, because it comes behind the commit.',
  seconds: 300,
  async measure(stage, done) {
    const ours = await stage.ours
    const [mdbox, maildir] = [await stage.mdbox, await stage.maildir]
    const toMdbox = await stage.postfix({ lmtpPort: mdbox.lmtpPort })
    const toMaildir = await stage.postfix({ lmtpPort: maildir.lmtpPort })
    const through = async (postfix: PostfixPeer, mailboxes: number, bytes: number): Promise<number> => {
      const messages = stage.size(400, 20)
      const to = boxes(mailboxes).map((box) => `${box}@${postfix.domain}`)
      const began = performance.now()
      await smtpLoad({ port: postfix.port, connections: CONNECTIONS, to, bytes, messages })
      await until('the queue is empty', () => postfix.waiting() === 0, 60_000)
      return (messages * 1_000) / (performance.now() - began)
    }
    const direct = async (mailboxes: number, bytes: number): Promise<number> => {
      const to = boxes(mailboxes).map((box) => `${box}@${DOMAIN}`)
      const messages = stage.size(6_000, 50)
      return (await smtpLoad({ port: ours.port('smtp'), connections: CONNECTIONS, to, bytes, messages })).perSecond
    }
    for (const mailboxes of [1, 20]) {
      for (const bytes of [4_096, 15_360]) {
        const taken = await inTurns(stage.runs, {
          ours: () => direct(mailboxes, bytes),
          mdbox: () => through(toMdbox, mailboxes, bytes),
          maildir: () => through(toMaildir, mailboxes, bytes),
        })
        done({
          what: `${mailboxes === 1 ? 'one mailbox' : `${mailboxes} mailboxes`}, ${bytes / 1_024} KB`,
          unit: '/s',
          better: 'more',
          ours: taken.ours,
          peers: { 'Postfix + LMTP mdbox': taken.mdbox, 'Postfix + LMTP maildir': taken.maildir },
          goals: [{ times: 10 }],
        })
      }
    }
  },
}

import { type FolderId, mailItem } from '@postrider/domain'
import { type Linked, linkTo } from '../harness/control.ts'
import { each, type Scenario } from '../harness/scenario.ts'
import { DOMAIN, mailNumber, ourSubject, USER } from '../harness/stage.ts'

export const start: Scenario = {
  name: 'start',
  title: 'Start to first answer with 1,000 mailboxes, 1,000,000 mails',
  method:
    'From starting the program (after a clean stop) until an IMAP session has logged in and read the flags of one of the folders of 1,000 mails. Dovecot: the same with its 10,000 mails, because its start opens no mailbox.',
  seconds: 400,
  async measure(stage, done) {
    const { server, boxes } = await stage.crowd
    const mails = stage.size(1_000, 20)
    const bytes = mailNumber(0, 1_000)
    await each(boxes.length, 4, async (i) => {
      const linked = await linkTo(server, `${boxes[i]}@${DOMAIN}`)
      try {
        await fillMailbox(linked, mails, bytes)
      } finally {
        linked.close()
      }
    })
    const subject = ourSubject(server)
    const ours: number[] = []
    for (let run = 0; run < stage.runs; run++) {
      await server.stop()
      const began = performance.now()
      await server.restart()
      const imap = await subject.login(boxes[run])
      await imap.command('SELECT INBOX')
      await imap.command('FETCH 1:* (FLAGS)')
      ours.push((performance.now() - began) / 1_000)
      imap.close()
    }
    const peers: Record<string, number[]> = {}
    for (const peer of (await stage.filled).slice(1)) {
      const values: number[] = []
      for (let run = 0; run < stage.runs; run++) {
        const began = performance.now()
        await peer.restart()
        const imap = await peer.login(USER)
        await imap.command('SELECT INBOX')
        await imap.command('FETCH 1:* (FLAGS)')
        values.push((performance.now() - began) / 1_000)
        imap.close()
      }
      peers[peer.name] = values
    }
    done({ what: 'start to first answer', unit: 's', better: 'less', ours, peers, goals: [{ limit: 1 }] })
  },
}

const BATCH = 500

/** The same mail many times: its original is kept once. */
async function fillMailbox({ service, mailbox }: Linked, mails: number, bytes: Uint8Array): Promise<void> {
  const folders = await service.folders(mailbox)
  const folder = folders.find(({ role }) => role === 'inbox')?.id as FolderId
  const ref = await service.stage(mailbox, bytes)
  const item = mailItem(bytes, { received: Date.now(), original: { ref } })
  for (let left = mails; left > 0; left -= BATCH) {
    const add = { op: 'add', folder, item } as const
    await service.apply(
      mailbox,
      Array.from({ length: Math.min(BATCH, left) }, () => add),
    )
  }
}

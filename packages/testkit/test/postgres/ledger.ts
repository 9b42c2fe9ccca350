import assert from 'node:assert/strict'
import {
  type FolderId,
  type MailboxId,
  type MailboxService,
  mailItem,
  type Operation,
  resultOf,
  type Uid,
} from '@postrider/domain'

/** One acknowledged delivery. */
export interface Entry {
  readonly mailbox: MailboxId
  readonly subject: string
  readonly text: string
  readonly uid: number
  readonly change: number
}

export const mailboxes = [1, 2, 3].map((id) => id as MailboxId)

export async function prepare(service: MailboxService): Promise<FolderId> {
  for (const id of mailboxes) await service.create(id, { language: 'en', quota: undefined, database: 'db' })
  const folders = await service.folders(mailboxes[0] as MailboxId)
  return folders.find(({ role }) => role === 'inbox')?.id as FolderId
}

/** Delivers one mail; answers what was acknowledged. */
export async function deliver(service: MailboxService, folder: FolderId, n: number): Promise<Entry> {
  const mailbox = mailboxes[n % mailboxes.length] as MailboxId
  const subject = `mail ${n}`
  const text = `Subject: ${subject}\r\n\r\n${`${subject} `.repeat((n % 400) + 1)}\r\n`
  const add: Operation = { op: 'add', folder, item: mailItem(Buffer.from(text), { received: 1_790_000_000_000 + n }) }
  const result = resultOf(await service.apply(mailbox, [add]), 0, 'add')
  return { mailbox, subject, text, uid: result.uid, change: result.change }
}

/** Everything acknowledged is there as it was sent, nothing is there twice, and no counter went back. */
export async function verify(service: MailboxService, folder: FolderId, ledger: readonly Entry[]): Promise<void> {
  for (const mailbox of mailboxes) {
    const own = ledger.filter((entry) => entry.mailbox === mailbox)
    const bySubject = new Map(own.map((entry) => [entry.subject, entry]))
    assert.equal(new Set(own.map(({ uid }) => uid)).size, own.length, 'no UID twice')
    const { change } = await service.info(mailbox)
    assert.ok(own.every((entry) => entry.change <= change))
    const { uid } = await service.scan(mailbox, { folder, columns: ['uid'] })
    const seen = new Set<string>()
    let found = 0
    for (let at = 0; at < uid.length; at += 500) {
      const uids = Array.from(uid.subarray(at, at + 500), (one) => one as Uid)
      for (const item of await service.get(mailbox, { by: { folder, uids }, columns: ['promoted', 'original'] })) {
        const subject = item.promoted?.subject ?? ''
        assert.ok(!seen.has(subject), `${subject} is there once`)
        seen.add(subject)
        const entry = bySubject.get(subject)
        if (entry === undefined) continue
        found++
        assert.equal(item.uid, entry.uid)
        assert.ok(item.original !== undefined)
        assert.equal(Buffer.from(await service.blob(mailbox, item.original)).toString(), entry.text)
      }
    }
    assert.equal(found, own.length, `mailbox ${mailbox}: all that was acknowledged`)
  }
}

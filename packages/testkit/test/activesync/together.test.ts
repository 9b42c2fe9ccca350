/**
 * Two phones and an IMAP session at one mailbox: conflicts, moves, drafts, filters, answers that get lost, conversations, absence.
 * [MS-ASCMD] §2.2.3.34, §2.2.3.68, §3.1.5.9; [MS-ASEMAIL] §3.1.5; [MS-ASCON] §3.2.5.3.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, child, children, type Element, el, ownBytes, ownText, text } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, type Phone, type Synced } from '../../src/activesync/index.ts'
import type { ImapClient } from '../../src/imap/index.ts'
import { until } from '../../src/process/index.ts'
import { append, Court, folderTypes, mail, options, versions } from './judge.ts'

let court: Court
before(async () => {
  court = await Court.open('conflict', 'lost', 'drafts', 'filter', 'talk', 'away', 'friend')
})
after(async () => {
  await court?.[Symbol.asyncDispose]()
})

const flag = (status: 1 | 2): Element =>
  el(
    'Email:Flag',
    el('Email:Status', status),
    el('Email:FlagType', 'for Follow Up'),
    status === 1 && el('Email:CompleteTime', '2026-11-20T10:00:00.000Z'),
    status === 1 && el('Tasks:DateCompleted', '2026-11-20T10:00:00.000Z'),
  )

const flagOf = (phone: Phone, folder: string, id: string): string | undefined =>
  text(phone.mirror.items(folder).get(id)?.properties.get('Email:Flag'), 'Email:Status')

const said = ({ responses }: Synced) =>
  responses.map((one) => [one.tag.split(':')[1], text(one, 'AirSync:Status')].join(' '))
const got = ({ commands }: Synced) => commands.map((one) => one.tag.split(':')[1])

/** UIDs the IMAP session finds. */
async function found(imap: ImapClient, folder: string, criteria: string): Promise<number> {
  await imap.command(`SELECT "${folder}"`)
  const { untagged } = await imap.command(`UID SEARCH ${criteria}`)
  return (
    untagged
      .join(' ')
      .match(/SEARCH((?: \d+)*)/)?.[1]
      ?.trim()
      .split(' ')
      .filter(Boolean).length ?? 0
  )
}

for (const version of versions) {
  test(`${version}: both phones change a mail: the client or the server wins, a delete always does`, async () => {
    const imap = await court.imap('conflict')
    for (const n of [0, 1, 2]) await append(imap, 'INBOX', mail(`${version} ${n}`))
    const [a, b] = [await court.ready('conflict', { version }), await court.ready('conflict', { version })]
    const inbox = a.folderOfType(folderTypes.inbox)
    for (const phone of [a, b]) await phone.syncAll(inbox)
    for (const conflict of [0, 1] as const) {
      const id = a.mirror.bySubject(inbox, `${version} ${conflict}`)
      await a.sync(inbox, { commands: [changeOf(id, flag(2))] })
      const answer = await b.sync(inbox, {
        options: options(el('AirSync:Conflict', conflict)),
        commands: [changeOf(id, flag(1))],
      })
      assert.deepEqual(said(answer), conflict === 0 ? [] : ['Change 7'], 'MS-ASCMD_R2069')
      await b.syncAll(inbox)
      await a.syncAll(inbox)
      const winner = conflict === 0 ? '1' : '2'
      assert.equal(flagOf(b, inbox, id), winner)
      if (conflict === 0) assert.equal(flagOf(a, inbox, id), winner)
      assert.equal(await found(imap, 'INBOX', `FLAGGED SUBJECT "${version} ${conflict}"`), conflict)
    }
    // One sets a flag, the other the read mark: no conflict, both stay.
    const both = a.mirror.bySubject(inbox, `${version} 0`)
    await a.sync(inbox, { commands: [changeOf(both, flag(2))] })
    assert.deepEqual(said(await b.sync(inbox, { commands: [changeOf(both, el('Email:Read', 1))] })), [])
    assert.equal(await found(imap, 'INBOX', `SEEN FLAGGED SUBJECT "${version} 0"`), 1)
    // Deleted by one, changed by the other: gone for both; 8 tells it.
    const gone = a.mirror.bySubject(inbox, `${version} 2`)
    await a.sync(inbox, { commands: [deleteOf(gone)] })
    const late = await b.sync(inbox, { commands: [changeOf(gone, el('Email:Read', 1))] })
    assert.deepEqual([said(late), got(late)], [['Change 8'], ['Delete']])
    assert.equal(await found(imap, 'Deleted Items', `SUBJECT "${version} 2"`), 1)
    // The other way round: what one deletes for good is gone with all the other did to it.
    const changed = a.mirror.bySubject(inbox, `${version} 1`)
    await a.sync(inbox, { commands: [changeOf(changed, el('Email:Read', 1))] })
    assert.deepEqual(said(await b.sync(inbox, { deletesAsMoves: false, commands: [deleteOf(changed)] })), [])
    assert.deepEqual(got(await a.sync(inbox)), ['Delete'])
    for (const folder of ['INBOX', 'Deleted Items']) {
      assert.equal(await found(imap, folder, `SUBJECT "${version} 1"`), 0, 'MS-ASCMD_R2158')
    }
    imap.close()
  })

  test(`${version}: the answer gets lost: moved, deleted, emptied, changed once, and the retry says so`, async () => {
    const imap = await court.imap('lost')
    for (const n of [0, 1, 2]) await append(imap, 'INBOX', mail(`${version} ${n}`))
    const [phone, other] = [await court.ready('lost', { version }), await court.ready('lost', { version })]
    const inbox = phone.folderOfType(folderTypes.inbox)
    const trash = phone.folderOfType(folderTypes.trash)
    for (const one of [phone, other]) for (const folder of [inbox, trash]) await one.syncAll(folder)
    const moved = phone.mirror.bySubject(inbox, `${version} 0`)
    phone.loseReplies(2)
    const answer = await phone.call({
      command: 'MoveItems',
      body: el(
        'Move:MoveItems',
        el('Move:Move', el('Move:SrcMsgId', moved), el('Move:SrcFldId', inbox), el('Move:DstFldId', trash)),
      ),
    })
    const response = child(answer.document, 'Move:Response')
    assert.equal(text(response, 'Move:Status'), '3')
    // The other phone sees a Delete here and an Add there, under the id that was told.
    assert.deepEqual(got(await other.sync(inbox)), ['Delete'])
    await other.syncAll(trash)
    assert.equal(other.mirror.bySubject(trash, `${version} 0`), text(response, 'Move:DstMsgId'))
    await phone.syncAll(inbox)
    const deleted = phone.mirror.bySubject(inbox, `${version} 1`)
    phone.loseReplies(2)
    assert.deepEqual(said(await phone.sync(inbox, { commands: [deleteOf(deleted)] })), [])
    phone.mirror.items(inbox).delete(deleted)
    phone.loseReplies(2)
    const read = changeOf(phone.mirror.bySubject(inbox, `${version} 2`), el('Email:Read', 1))
    assert.deepEqual(said(await phone.sync(inbox, { commands: [read] })), [])
    assert.equal((await phone.sync(inbox)).document, undefined)
    for (const n of [0, 1]) assert.equal(await found(imap, 'Deleted Items', `SUBJECT "${version} ${n}"`), 1)
    // Keys: the one before goes back one step, older ones are 3.
    const oldest = phone.syncKey(inbox)
    await phone.sync(inbox, { commands: [read] })
    await phone.sync(inbox, { commands: [read] })
    assert.equal((await phone.sync(inbox, { syncKey: oldest })).status, 3)
    // A folder with folders in it is emptied.
    for (const name of ['Box', 'Box/Sub']) {
      await imap.command(`CREATE "${name}"`)
      await append(imap, name, mail(`in ${name}`))
    }
    await phone.folderSync()
    const named = (name: string) => [...phone.folders.values()].find((folder) => folder.name === name)?.serverId
    const [box, sub] = [named('Box')!, named('Sub')!]
    await phone.syncAll(box)
    await phone.syncAll(sub)
    const empty = (...more: Child[]) =>
      phone.call({
        command: 'ItemOperations',
        body: el(
          'ItemOperations:ItemOperations',
          el('ItemOperations:EmptyFolderContents', el('AirSync:CollectionId', box), ...more),
        ),
      })
    const emptied = async (...more: Child[]) => {
      const { document } = await empty(...more)
      const one = child(child(document, 'ItemOperations:Response'), 'ItemOperations:EmptyFolderContents')
      return text(one, 'ItemOperations:Status')
    }
    phone.loseReplies()
    assert.equal(await emptied(), '1')
    assert.deepEqual(got(await phone.sync(box)), ['Delete'])
    assert.equal((await phone.sync(sub)).document, undefined, 'MS-ASCMD_R2244')
    phone.loseReplies()
    assert.equal(await emptied(el('ItemOperations:Options', el('ItemOperations:DeleteSubFolders'))), '1')
    await phone.folderSync()
    assert.deepEqual([named('Box'), named('Sub')], [box, undefined])
    assert.equal((await phone.sync(sub)).status, 12)
    await imap.command('DELETE "Box"')
    imap.close()
  })
}

test('drafts of 16.x: made on one phone, changed on two, read by older ones, sent once', async () => {
  const a = await court.ready('drafts', { version: '16.1' })
  const b = await court.ready('drafts', { version: '16.0' })
  const old = await court.ready('drafts', { version: '14.1' })
  const drafts = a.folderOfType(folderTypes.drafts)
  for (const phone of [a, b, old]) await phone.syncAll(drafts)
  const body = (words: string) => el('AirSyncBase:Body', el('AirSyncBase:Type', 1), el('AirSyncBase:Data', words))
  const attachment = el(
    'AirSyncBase:Attachments',
    el(
      'AirSyncBase:Add',
      el('AirSyncBase:ClientId', 'file-1'),
      el('AirSyncBase:Method', 1),
      el('AirSyncBase:Content', Buffer.from('in the file')),
      el('AirSyncBase:DisplayName', 'a.txt'),
    ),
  )
  a.loseReplies(2)
  const made = await a.sync(drafts, {
    commands: [
      el(
        'AirSync:Add',
        el('AirSync:ClientId', 'd1'),
        el(
          'AirSync:ApplicationData',
          el('Email:To', 'Ein Freund <friend@example.com>'),
          el('Email2:Bcc', 'talk@example.com'),
          el('Email:Subject', 'Entwurf ä'),
          body('eins'),
          attachment,
        ),
      ),
    ],
  })
  assert.deepEqual(said(made), ['Add 1'])
  const id = text(made.responses[0], 'AirSync:ServerId')!
  a.mirror.items(drafts).set(id, { serverId: id, properties: new Map() })
  for (const phone of [b, old]) {
    await phone.syncAll(drafts)
    assert.deepEqual(phone.mirror.values(drafts, 'Email:Subject'), ['Entwurf ä'])
  }
  assert.equal(b.mirror.value(drafts, id, 'Email2:Bcc'), 'talk@example.com')
  const change = (subject: string, ...more: Child[]) =>
    el(
      'AirSync:Change',
      el('AirSync:ServerId', id),
      ...more,
      el('AirSync:ApplicationData', el('Email:Subject', subject)),
    )
  assert.deepEqual(said(await b.sync(drafts, { commands: [change('zwei')] })), [])
  const late = await a.sync(drafts, { commands: [change('drei')] })
  assert.deepEqual([said(late), got(late)], [['Change 7'], ['Change']])
  assert.equal(a.mirror.value(drafts, id, 'Email:Subject'), 'zwei')
  // Mail is not added by older versions, and IsDraft is not the client's.
  const add = el('AirSync:Add', el('AirSync:ClientId', 'x'), el('AirSync:ApplicationData', el('Email:Subject', 'x')))
  assert.deepEqual(said(await old.sync(drafts, { commands: [add] })), ['Add 6'])
  a.loseReplies(2)
  const sent = await a.sync(drafts, { commands: [change('gesendet', el('Email2:Send'))] })
  assert.equal(sent.status, 1)
  for (const phone of [a, b, old]) {
    await phone.syncAll(drafts)
    assert.equal(phone.mirror.items(drafts).size, 0)
  }
  for (const who of ['friend', 'talk']) {
    const imap = await court.imap(who)
    assert.equal(await until('delivered', async () => (await found(imap, 'INBOX', 'SUBJECT gesendet')) || undefined), 1)
    assert.equal(await found(imap, 'INBOX', 'BCC talk'), 0)
    imap.close()
  }
})

test('FilterType: narrower takes away, wider brings, what was never there is not taken away', async () => {
  const imap = await court.imap('filter')
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  const ages = [0, 2, 5, 10, 20, 60]
  for (const age of ages) {
    const day = new Date(Date.now() - age * 24 * 60 * 60 * 1000)
    const date = `${String(day.getUTCDate()).padStart(2, '0')}-${month[day.getUTCMonth()]}-${day.getUTCFullYear()}`
    const bytes = Buffer.from(mail(`age ${age}`))
    await imap.command(`APPEND "INBOX" "${date} 12:00:00 +0000" {${bytes.length}}`, bytes)
  }
  const shown = [6, 1, 2, 3, 4, 5]
  for (const version of versions) {
    const phone = await court.ready('filter', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    let before = 0
    for (const filter of [3, 0, 1, 2, 4, 5, 0, 5, 3, 3]) {
      await phone.syncAll(inbox, { options: options(el('AirSync:FilterType', filter)), windowSize: 2 })
      const now = shown[filter]!
      assert.equal(phone.mirror.items(inbox).size, now, `${version} FilterType ${filter} after ${before}`)
      before = now
    }
    assert.deepEqual(phone.mirror.violations, [])
    // A mail that is not on the phone is changed and deleted: nothing to hear of.
    await imap.command('SELECT INBOX')
    await imap.command('STORE 6 +FLAGS (\\Flagged)')
    assert.equal((await phone.sync(inbox)).document, undefined)
  }
  imap.close()
})

test('MS-ASCON_R130, R213, R215: a conversation is moved with all that comes later', async () => {
  const imap = await court.imap('talk')
  const friend = await court.ready('friend')
  for (const version of ['14.0', '14.1', '16.0', '16.1'] as const) {
    const phone = await court.ready('talk', { version })
    const inbox = phone.folderOfType(folderTypes.inbox)
    const trash = phone.folderOfType(folderTypes.trash)
    const root = `${version}@outside.example`
    const say = (id: string, answers: boolean) =>
      mail(`${answers ? 'Re: ' : ''}plan ${version}`, 'text', answers ? [`References: <${root}>`] : [])
        .replace(/Message-ID: <.*>/, `Message-ID: <${id}>`)
        .replace('judge@example.com', 'talk@example.com')
        .replace('ann@outside.example', 'friend@example.com')
    await append(imap, 'INBOX', say(root, false))
    await append(imap, 'INBOX', say(`1.${root}`, true))
    await phone.syncAll(inbox)
    await phone.syncAll(trash)
    const first = phone.mirror.items(inbox).get(phone.mirror.bySubject(inbox, `plan ${version}`))
    const conversation = ownBytes(first!.properties.get('Email2:ConversationId')!)
    phone.loseReplies()
    const { document } = await phone.call({
      command: 'ItemOperations',
      body: el(
        'ItemOperations:ItemOperations',
        el(
          'ItemOperations:Move',
          el('ItemOperations:ConversationId', conversation),
          el('ItemOperations:DstFldId', trash),
          el('ItemOperations:Options', el('ItemOperations:MoveAlways')),
        ),
      ),
    })
    const move = child(child(document, 'ItemOperations:Response'), 'ItemOperations:Move')
    assert.equal(text(move, 'ItemOperations:Status'), '1')
    assert.deepEqual(got(await phone.sync(inbox)), ['Delete', 'Delete'])
    assert.deepEqual(got(await phone.sync(trash)), ['Add', 'Add'])
    const waits = phone.ping(480, [inbox, trash])
    await friend.sendMail(say(`2.${root}`, true), `talk-${version}`)
    assert.deepEqual((await waits).folders, [trash])
    assert.deepEqual(got(await phone.sync(trash)), ['Add'])
    assert.equal((await phone.sync(inbox)).document, undefined)
  }
  imap.close()
})

test('absence set on a phone: read back for each audience, and answered to who writes', async () => {
  const friend = await court.ready('friend')
  const inbox = friend.folderOfType(folderTypes.inbox)
  await friend.syncAll(inbox)
  const audiences = ['AppliesToInternal', 'AppliesToExternalKnown', 'AppliesToExternalUnknown'] as const
  for (const version of versions) {
    const phone = await court.ready('away', { version })
    const settings = async (...content: Child[]) => {
      const { document } = await phone.call({
        command: 'Settings',
        body: el('Settings:Settings', el('Settings:Oof', ...content)),
      })
      const oof = child(document, 'Settings:Oof')
      assert.equal(text(oof, 'Settings:Status'), '1')
      return child(oof, 'Settings:Get')
    }
    await settings(
      el(
        'Settings:Set',
        el('Settings:OofState', 1),
        audiences.map((audience, index) =>
          el(
            'Settings:OofMessage',
            el(`Settings:${audience}`),
            el('Settings:Enabled', index === 2 ? 0 : 1),
            el('Settings:ReplyMessage', `wäg ${version} ${audience}`),
            el('Settings:BodyType', 'Text'),
          ),
        ),
      ),
    )
    const read = await settings(el('Settings:Get', el('Settings:BodyType', 'Text')))
    assert.equal(text(read, 'Settings:OofState'), '1')
    assert.deepEqual(
      children(read, 'Settings:OofMessage').map((one) => children(one).map(ownText)),
      audiences.map((audience, index) => ['', index === 2 ? '0' : '1', `wäg ${version} ${audience}`, 'Text']),
    )
    // The transport believes what it read of an absence for a tenth of a second.
    await sleep(200)
    const waits = friend.ping(60, [inbox])
    await friend.sendMail(
      mail(`are you there ${version}`).replace('judge@', 'away@').replace('ann@outside.example', 'friend@example.com'),
      `away-${version}`,
    )
    assert.equal((await waits).status, 2)
    await friend.syncAll(inbox)
    const reply = friend.mirror.bySubject(inbox, `Automatic reply: are you there ${version}`)
    const shown = friend.mirror.items(inbox).get(reply)?.properties.get('AirSyncBase:Body')
    assert.equal(text(shown, 'AirSyncBase:Data')?.trim(), `wäg ${version} AppliesToInternal`)
    await settings(el('Settings:Set', el('Settings:OofState', 0)))
    // Switched off for now: the texts stay for the next time.
    const off = await settings(el('Settings:Get', el('Settings:BodyType', 'HTML')))
    assert.equal(text(off, 'Settings:OofState'), '0')
    assert.match(text(children(off, 'Settings:OofMessage')[0], 'Settings:ReplyMessage') ?? '', /wäg/)
  }
})

test('every answer against the schemas', () => {
  court.verdict()
})

/**
 * R15: every act on mail, done and taken back by the key `z` and by the button of the note, in the real program. What is true is asked of the
 * server by a mail program's session beside it, not of what the page shows.
 */
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { ImapClient } from '@postrider/testkit/imap'
import { until } from '@postrider/testkit/process'
import type { Page } from 'playwright-core'
import { withoutBrowser } from './browser.ts'
import { menuItem, PASSWORD, type Person, Room, row, toast } from './room.ts'

const skip = withoutBrowser
const timeout = 240_000
const PATIENCE_MS = 30_000
let room: Room
before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  await room?.[Symbol.asyncDispose]()
})

/** Where mails are and how they are marked, as a mail program sees it: subject → folder and flags. */
async function places(t: TestContext, person: Person): Promise<() => Promise<string[]>> {
  const imap = await ImapClient.login(room.server.port('imaps'), person.address, PASSWORD)
  t.after(() => imap.close())
  await imap.command('CREATE Plans')
  return async () => {
    const found: string[] = []
    for (const folder of ['INBOX', 'Archive', 'Junk Email', 'Deleted Items', 'Plans', 'Snoozed']) {
      const { status } = await imap.command(`EXAMINE "${folder}"`)
      if (status !== 'OK') continue
      const { untagged } = await imap.command('UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
      for (const one of untagged.join('\n').split(/^\* \d+ FETCH/m)) {
        const subject = /Subject: (.+?)\r?\n/.exec(one)?.[1]
        const flags = ['\\Seen', '\\Flagged'].filter((flag) => one.includes(flag)).join(' ')
        if (subject !== undefined) found.push(`${folder}: ${subject} ${flags}`.trim())
      }
    }
    return found.sort()
  }
}

interface Way {
  readonly name: string
  act(page: Page): Promise<void>
  /** What the note says. */
  readonly said: RegExp
  /** Where the mail is to be found then. */
  readonly becomes: RegExp
}
const open = async (page: Page, item: string | RegExp): Promise<void> => {
  await row(page, 'Boat').first().click({ button: 'right' })
  await menuItem(page, item).click()
}
const pressed = async (page: Page, key: string): Promise<void> => {
  await page.locator('.list-rows [tabindex="0"]').focus()
  await page.keyboard.press(key)
}
const ways: readonly Way[] = [
  { name: 'archive', act: (page) => pressed(page, 'e'), said: /archived/, becomes: /^Archive: Boat/ },
  { name: 'delete', act: (page) => pressed(page, 'Delete'), said: /deleted/, becomes: /^Deleted Items: Boat/ },
  { name: 'junk', act: (page) => pressed(page, 'j'), said: /moved to Junk/, becomes: /^Junk Email: Boat/ },
  {
    name: 'move',
    async act(page) {
      await pressed(page, 'v')
      await page.getByRole('option', { name: 'Plans' }).waitFor()
      await page.keyboard.type('Plans')
      await page.keyboard.press('Enter')
    },
    said: /moved to Plans/,
    becomes: /^Plans: Boat/,
  },
  {
    name: 'drag into a folder',
    act: (page) =>
      row(page, 'Boat')
        .first()
        .dragTo(page.getByRole('treeitem', { name: /^Plans/ })),
    said: /moved to Plans/,
    becomes: /^Plans: Boat/,
  },
  { name: 'flag', act: (page) => pressed(page, 'Insert'), said: /flagged/, becomes: /^INBOX: Boat.*Flagged/ },
  { name: 'read', act: (page) => pressed(page, 'q'), said: /as read/, becomes: /^INBOX: Boat.*Seen/ },
  {
    name: 'follow up',
    act: async (page) => {
      await open(page, 'Follow up')
      await menuItem(page, 'Tomorrow').click()
    },
    said: /Follow-up|flagged/i,
    becomes: /^INBOX: Boat.*Flagged/,
  },
  {
    name: 'snooze',
    async act(page) {
      await pressed(page, 'b')
      await menuItem(page, 'Tomorrow morning').click()
    },
    said: /snoozed until/,
    becomes: /^Snoozed: Boat/,
  },
  { name: 'block the sender', act: (page) => open(page, /^Block/), said: /is blocked/, becomes: /^Junk Email: Boat/ },
]

for (const by of ['key', 'button'] as const)
  test(`R15: every act is taken back by the ${by}: on the page and on the server`, { skip, timeout }, async (t) => {
    const ada = await room.person(t)
    const where = await places(t, ada)
    await ada.deliver({ subject: 'Anchor' }, { subject: 'Boat' }, { subject: 'Canoe' })
    const { page, problems } = await ada.visit(1440)
    await page.getByRole('treeitem', { name: /^Plans/ }).waitFor()
    const usual = await where()
    const order = (): Promise<string[]> => page.locator('.row:not(.waiting) .row-subject').allTextContents()
    const rows = await order()
    assert.equal(rows.length, 3)
    for (const { name, act, said, becomes } of ways) {
      // The cursor stands on the mail; none is open, so that none is read.
      await page.locator('.list-rows [tabindex="0"]').focus()
      await page.keyboard.press('Home')
      await page.keyboard.press('ArrowDown')
      await act(page)
      await toast(page, said)
      await until(
        `${name}: done on the server`,
        async () => (await where()).some((one) => becomes.test(one)),
        PATIENCE_MS,
      )
      if (by === 'key') await page.keyboard.press('z')
      else await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
      await toast(page, /Undone/)
      await until(`${name}: undone on the server`, async () => (await where()).join() === usual.join(), PATIENCE_MS)
      await until(`${name}: back in its place`, async () => (await order()).join() === rows.join(), PATIENCE_MS)
    }
    // The sender is blocked no longer: seen by another tab, so that nothing of this one is cut short.
    const other = await page.context().newPage()
    const senders = new URL('/mail/settings/senders', page.url()).href
    await until(
      'nobody is blocked',
      async () => {
        await other.goto(senders)
        const blocked = other.getByRole('region', { name: 'Blocked senders' })
        await blocked.waitFor()
        return (await blocked.getByRole('listitem').count()) === 0
      },
      PATIENCE_MS,
    )
    assert.deepEqual(problems, [])
  })

test('R15: several acts are taken back one after the other: a conversation, several mails, from a search, categories', {
  skip,
  timeout,
}, async (t) => {
  const ada = await room.person(t)
  const where = await places(t, ada)
  const root = `<${ada.address.split('@')[0]}.2@outside.example>`
  await ada.deliver(
    { subject: 'Anchor' },
    { subject: 'Boat' },
    { subject: 'Re: Boat', more: [`In-Reply-To: ${root}`, `References: ${root}`] },
    { subject: 'Canoe' },
  )
  const { page, problems } = await ada.visit(1440)
  const usual = await where()
  assert.equal(usual.length, 4)
  const settled = (what: string, ...wanted: readonly string[]): Promise<unknown> =>
    until(
      what,
      async () => {
        const now = await where()
        return wanted.every((one) => now.some((line) => line.startsWith(one)))
      },
      PATIENCE_MS,
    )
  // A conversation and a mail, chosen together, go together; then a third; z takes back the last first.
  await row(page, 'Boat').click({ modifiers: ['Control'] })
  await row(page, 'Anchor').click({ modifiers: ['Control'] })
  await page.keyboard.press('Delete')
  await toast(page, /3 messages deleted/)
  await row(page, 'Canoe').click({ button: 'right' })
  await menuItem(page, 'Archive').click()
  await toast(page, /1 message archived/)
  await settled('gone', 'Archive: Canoe', 'Deleted Items: Anchor', 'Deleted Items: Boat', 'Deleted Items: Re: Boat')
  await page.keyboard.press('z')
  await row(page, 'Canoe').waitFor()
  await settled('the last is back', 'INBOX: Canoe', 'Deleted Items: Anchor')
  await page.keyboard.press('z')
  await until('all is as it was', async () => (await where()).join() === usual.join(), PATIENCE_MS)
  await row(page, 'Boat').waitFor()
  // Categories, by the sheet: the key belongs to the page again when it is closed.
  await row(page, 'Canoe').click({ modifiers: ['Control'] })
  await page.keyboard.press('c')
  const sheet = page.getByRole('dialog', { name: 'Categories' })
  await sheet.getByLabel('New category').fill('Lake')
  await page.keyboard.press('Enter')
  await toast(page, /categorised: Lake/)
  await page.keyboard.press('Escape')
  await sheet.waitFor({ state: 'detached' })
  await page.locator('.list-rows [tabindex="0"]').focus()
  await row(page, 'Canoe').getByText('Lake').waitFor()
  await page.keyboard.press('z')
  await row(page, 'Canoe').getByText('Lake').waitFor({ state: 'detached' })
  // From a search, with the mail open, by the button; a page opened anew shows the same.
  await page.goto(new URL('/mail/search/Anchor', page.url()).href)
  await row(page, 'Anchor').click()
  await page.frameLocator('.message-frame').getByText('About Anchor').waitFor()
  await page.getByRole('toolbar', { name: 'Actions' }).getByRole('button', { name: 'Delete' }).click()
  await settled('deleted from the search', 'Deleted Items: Anchor')
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await settled('back', 'INBOX: Anchor')
  await page.goto(new URL('/mail/inbox', page.url()).href)
  await row(page, 'Anchor').waitFor()
  await row(page, 'Canoe').waitFor()
  assert.equal(await row(page, 'Canoe').getByText('Lake').count(), 0)
  assert.deepEqual(problems, [])
})

test('R15: on a phone: deleted from the open mail and by a long press, back by the note', {
  skip,
  timeout,
}, async (t) => {
  const ada = await room.person(t)
  const where = await places(t, ada)
  await ada.deliver({ subject: 'Anchor' }, { subject: 'Boat' })
  const { page, problems } = await ada.visit(360)
  const undo = async (): Promise<void> => {
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
    await toast(page, /Undone/)
    await until('all in the Inbox', async () => (await where()).every((one) => one.startsWith('INBOX')), PATIENCE_MS)
  }
  await row(page, 'Boat').tap()
  await page.frameLocator('.message-frame').getByText('About Boat').waitFor()
  await page.getByRole('toolbar', { name: 'Actions' }).getByRole('button', { name: 'Delete' }).tap()
  await row(page, 'Anchor').waitFor()
  await until('deleted', async () => (await where()).some((one) => one.startsWith('Deleted Items: Boat')), PATIENCE_MS)
  await undo()
  await row(page, 'Boat').click({ button: 'right' })
  await menuItem(page, 'Junk').click()
  await until('in Junk', async () => (await where()).some((one) => one.startsWith('Junk Email: Boat')), PATIENCE_MS)
  await undo()
  await row(page, 'Boat').waitFor()
  assert.deepEqual(problems, [])
})

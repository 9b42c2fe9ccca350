/** The Light version does what the full client does: conversations, undo, rules, snooze, categories, sending later, people, options. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Form, Page, PlainBrowser } from '../src/browser/index.ts'
import { until } from '../src/process/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { TestServer } from '../src/server/index.ts'
import { action, actOn, deliver as deliverTo, follow, inbox, lightUser, links, mail, PASSWORD } from './light-user.ts'

let server: TestServer
const browsers: PlainBrowser[] = []
before(async () => {
  server = await TestServer.start()
  for (const name of ['bob', 'eve', 'ann', 'max', 'kim', 'lou']) await server.addUser(`${name}@example.com`, PASSWORD)
})
after(async () => {
  for (const one of browsers) one.close()
  await server?.stop()
})
const user = (name: string): Promise<PlainBrowser> => lightUser(server, name, browsers)
const deliver = (name: string, message: string): Promise<void> => deliverTo(server, name, message)
const holds =
  (text: string) =>
  (form: Form): boolean =>
    form.inner.includes(text)
const undo = (one: PlainBrowser): Promise<Page> => one.submit(action('/light/undo'))
/** The undo of an act whose next page one has left already. */
async function undoLater(one: PlainBrowser): Promise<void> {
  const csrf = /name="csrf" value="([^"]+)"/.exec(one.current.text)?.[1] ?? ''
  const done = await one.send('POST', '/light/undo', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrf }).toString(),
  })
  assert.equal(done.status, 303)
}
const seen = (page: Page, text: string): boolean => page.text.includes(text)
async function more(one: PlainBrowser, subject: string): Promise<Page> {
  return actOn(one, subject, 'more')
}

test('a conversation: one row, all its mails on one page, acts on all of them, undone', async () => {
  await deliver('bob', mail('Plan', 'Shall we?'))
  await deliver(
    'bob',
    mail('Re: Plan', 'Yes.\n\nOn Saturday somebody wrote:\n> Shall we?', 'In-Reply-To: <Plan@elsewhere.example>\n'),
  )
  const one = await user('bob')
  const list = await inbox(one)
  assert.match(list.text, /1 conversations/)
  assert.match(list.text, /2 in the conversation/)
  const page = await follow(one, 'Re: Plan')
  assert.match(page.url, /^\/light\/conversation\//)
  assert.ok(page.text.indexOf('Yes.') < page.text.indexOf('Shall we?'), 'the newest first')
  assert.ok(!seen(page, 'somebody wrote'), 'what is quoted is shown once')
  assert.ok(!(await inbox(one)).text.includes('class="unread"'), 'read now')
  const gone = await actOn(one, 'Re: Plan', 'delete')
  assert.match(gone.text, /Done: 2 messages/)
  const back = await undo(one)
  assert.match(back.text, /2 in the conversation/)
  const mailPage = await one.open(/\/light\/conversation[^"]+/.exec(back.text)?.[0].replaceAll('&amp;', '&') ?? '')
  const opened = await one.open(/href="(\/light\/mail\/[^"]+)"/.exec(mailPage.text)?.[1] ?? '')
  assert.match(opened.text, /Whole conversation \(2\)/)
  assert.match((await follow(one, 'Older message')).text, /Shall we\?/)
  assert.ok(links(one.current).has('Newer message'))
  // Switched off, every mail is a row.
  await one.open('/light/options/handling')
  await one.submit(action('/light/options/handling'), { conversations: 'false' })
  assert.match((await inbox(one)).text, /2 messages/)
})

test('every act has its way back: flag, archive, junk, snooze, categories, follow-up, the sender', async () => {
  await deliver('eve', mail('Act on me'))
  const one = await user('eve')
  const state = async (): Promise<string> => {
    const page = await inbox(one)
    const row = page.text.split('<tr').find((each) => each.includes('Act on me')) ?? ''
    return /class="mark">([^<]*)</.exec(row)?.[1] ?? 'not here'
  }
  const before_ = await state()
  for (const [name, wanted] of [
    ['flag', /flagged/],
    ['archive', /not here/],
    ['junk', /not here/],
    ['delete', /not here/],
  ] as const) {
    await actOn(one, 'Act on me', name)
    assert.match(await state(), wanted, name)
    await undoLater(one)
    assert.equal(await state(), before_, `${name} undone`)
  }
  const day = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
  for (const [name, values, wanted] of [
    ['snooze', { until: '', 'until-own': `${day} 09:00` }, /not here/],
    ['categorise', { category: 'Blue category' }, /Blue category/],
    ['follow', { due: '', 'due-own': `${day} 09:00` }, /follow up by/],
    ['block', {}, /not here/],
  ] as const) {
    await more(one, 'Act on me')
    await one.submit(holds(`value="${name}"`), values, ['act', name])
    assert.match(await state(), wanted, name)
    if (name === 'snooze') assert.match((await follow(one, /^Snoozed/)).text, /snoozed until/)
    if (name === 'block')
      assert.match((await one.open('/light/options/senders')).text, />\nzoe@elsewhere\.example<\/textarea>/)
    await undoLater(one)
    assert.equal(await state(), before_, `${name} undone`)
  }
  assert.ok(!(await one.open('/light/options/senders')).text.includes('zoe@elsewhere.example'), 'off the list again')
  await more(one, 'Act on me')
  await one.submit(holds('value="snooze"'), { until: '', 'until-own': '2001-01-01 10:00' }, ['act', 'snooze'])
  assert.match(one.current.text, /Choose a time to come/)
})

test('deleting for good is asked about; a folder is emptied', async () => {
  await deliver('eve', mail('Old paper'))
  const one = await user('eve')
  await actOn(one, 'Old paper', 'delete')
  await follow(one, /^Deleted/)
  const asked = await one.submit(holds('Empty this folder'), {}, ['act', 'destroy'])
  assert.match(asked.text, /Delete 1 messages for good\?/)
  assert.match((await one.submit(holds('name="sure"'), {}, ['act', 'destroy'])).text, /Done: 1 messages/)
  assert.match((await follow(one, /^Deleted/)).text, /Nothing here/)
})

test('sending can be undone within its delay; sending later waits in its list', async () => {
  const one = await user('ann')
  await one.open('/light/options/handling')
  await one.submit(action('/light/options/handling'), { undoSeconds: '30' })
  await one.open('/light/compose')
  const letter = { to: 'max@example.com', subject: 'Too quick', text: 'Wait.' }
  assert.match((await one.submit(action('/light/compose'), letter, ['act', 'send'])).text, /It leaves in 30 seconds/)
  const draft = await undo(one)
  assert.match(draft.url, /^\/light\/compose\?draft=/)
  assert.match(draft.text, /value="Too quick"/)
  assert.match((await one.open('/light/held')).text, /Nothing waits/)
  await one.open('/light/compose')
  const late = await one.submit(
    action('/light/compose'),
    { ...letter, subject: 'Next year', at: '', 'at-own': '2001-01-01 08:00' },
    ['act', 'later'],
  )
  assert.equal(late.status, 422)
  const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
  const waits = await one.submit(action('/light/compose'), { at: '', 'at-own': `${day} 08:00` }, ['act', 'later'])
  assert.match(waits.text, /It will be sent on/)
  await follow(one, 'Waiting to be sent')
  assert.match(one.current.text, /Next year/)
  assert.match((await one.submit(action('/light/held'))).url, /^\/light\/compose\?draft=/)
  assert.match((await one.open('/light/held')).text, /Nothing waits/)
})

test('rules: made, tried, in order, switched off, at work on delivery', async () => {
  await deliver('max', mail('Invoice 1'))
  const one = await user('max')
  await one.open('/light/options/rules')
  await follow(one, 'New rule')
  const archive = /value="([^"]+)">(?:&nbsp;)*Archive/.exec(one.current.text)?.[1] ?? ''
  const empty = await one.submit(action('/light/options/rules/new'), { name: 'Nothing' }, ['act', 'save'])
  assert.equal(empty.status, 422)
  const tried = await one.submit(
    action('/light/options/rules/new'),
    { name: 'Bills', 'c-subjectContains': 'invoice, bill', 'a-moveTo': archive, 'a-categories': 'Red category' },
    ['act', 'try'],
  )
  assert.match(tried.text, /would match: 1/)
  assert.match(tried.text, /name="c-subjectContains" value="invoice, bill"/)
  assert.match((await inbox(one)).text, /Invoice 1/)
  const client = await SmtpClient.connect(server.port('smtp'))
  await client.deliver('shop@outside.example', 'max@example.com', 'Subject: Your bill\r\n\r\nPay.\r\n')
  client.close()
  const archived = await until(
    'the rule has moved it',
    async () => {
      await inbox(one)
      const page = await follow(one, /^Archive/)
      return seen(page, 'Your bill') ? page : undefined
    },
    30_000,
  )
  assert.match(archived.text, /Red category/)
  await one.open('/light/options/rules')
  await one.submit(holds('value="off"'), {}, ['act', 'off'])
  assert.match(one.current.text, /<td>off<\/td>/)
  await one.submit(holds('value="remove"'), {}, ['act', 'remove'])
  assert.ok(!seen(one.current, 'Bills'))
  assert.match((await undo(one)).text, /Bills/)
})

test('sweep: what one sender sent goes, with a rule for what is to come, both undone', async () => {
  for (const n of [1, 2, 3]) await deliver('kim', mail(`Offer ${n}`))
  const one = await user('kim')
  await more(one, 'Offer 2')
  await follow(one, 'Sweep')
  const swept = await one.submit(action('/light/sweep'), { kind: 'always' })
  assert.match(swept.text, /Done: 3 messages/)
  assert.ok(!seen(swept, 'Offer 1'))
  assert.match((await one.open('/light/options/rules')).text, /Messages from Zoë Müller/)
  await undoLater(one)
  assert.match((await inbox(one)).text, /Offer 1/)
  assert.ok(!seen(await one.open('/light/options/rules'), 'Zoë'))
  await more(one, 'Offer 2')
  await follow(one, 'Sweep')
  assert.match((await one.submit(action('/light/sweep'), { kind: 'latestAlways' })).text, /Done: 2 messages/)
  assert.match((await one.open('/light/options/sweeps')).text, /zoe@elsewhere\.example[\s\S]*Only the newest 1 stay/)
  await one.submit(action('/light/options/sweeps'))
  assert.match(one.current.text, /Nothing is swept/)
})

test('people: the organisation’s with their details, groups, whom one wrote to', async () => {
  const one = await user('lou')
  await server.command([
    'group',
    'create',
    'team@example.com',
    '--member',
    'bob@example.com',
    '--member',
    'eve@example.com',
  ])
  await follow(one, 'People')
  const found = await one.submit(action('/light/people'), { q: 'bob' })
  assert.match(found.text, /bob@example\.com/)
  await follow(one, 'Write')
  assert.match(one.current.text, /name="to" value="[^"]*bob@example\.com/)
  await one.submit(action('/light/compose'), { to: 'Stranger <far@outside.example>', subject: 'x' }, ['act', 'send'])
  await undo(one)
  await one.submit(action('/light/compose'), { find: 'eve' }, ['act', 'find'])
  const add =
    /name="add" value="([^"]+)"/
      .exec(one.current.text)?.[1]
      ?.replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>') ?? ''
  const added = await one.submit(action('/light/compose'), { add, 'add-to': 'cc' }, ['act', 'find'])
  assert.match(added.text, /name="cc" value="[^"]*eve@example\.com/)
})

test('templates, categories, appearance, the focused inbox: the same records as the full client’s', async () => {
  const one = await user('kim')
  await one.open('/light/options/templates')
  await one.submit(holds('value="save"'), { name: 'Thanks', subject: 'Thank you', body: 'Dear you,\nthanks.' }, [
    'act',
    'save',
  ])
  await follow(one, 'Write with it')
  assert.match(one.current.text, /value="Thank you"/)
  assert.match(one.current.text, /Dear you,\nthanks\./)
  await one.submit(action('/light/compose'), { subject: 'Kept', text: 'As one' }, ['act', 'keep'])
  assert.match(one.current.text, /kept as a template/)
  assert.match((await one.open('/light/options/templates')).text, /Kept/)
  await one.open('/light/options/categories')
  await one.submit(holds('value="create"'), { name: 'Garden' }, ['act', 'create'])
  assert.match(one.current.text, /Garden/)
  assert.equal((await one.submit(holds('value="create"'), { name: 'Garden' }, ['act', 'create'])).status, 422)
  await one.open('/light/options/appearance')
  await one.submit(action('/light/options/appearance'), { theme: 'dark', density: 'compact' })
  assert.match(one.current.text, /<body class="dark compact">/)
  const session = JSON.parse((await one.send('GET', '/web/session')).text) as { accountId: string; csrf: string }
  const answer = await one.send('POST', '/jmap/api', {
    headers: { 'Content-Type': 'application/json', 'Postrider-Csrf': session.csrf },
    body: JSON.stringify({
      using: ['urn:ietf:params:jmap:core', 'https://postrider.example/jmap'],
      methodCalls: [['Preferences/get', { accountId: session.accountId, ids: null }, '0']],
    }),
  })
  assert.match(answer.text, /"theme":"dark"/, answer.text.slice(0, 500))
  await deliver('kim', mail('Newsletter', 'News.', 'List-Id: <news.elsewhere.example>\n'))
  await one.open('/light/options/handling')
  await one.submit(action('/light/options/handling'), { focused: 'true' })
  const other = await until(
    'the inbox is parted',
    async () => {
      await inbox(one)
      const page = await follow(one, 'Other')
      return seen(page, 'Newsletter') ? page : undefined
    },
    30_000,
  )
  await one.open(links(other).get('Newsletter') ?? '')
  assert.match(one.current.text, /Other: It comes from a list or program/)
  await one.submit(action('/light/mail/'), {}, ['act', 'more'])
  await one.submit(holds('value="focused"'), {}, ['act', 'focused'])
  assert.ok(seen(await inbox(one), 'Newsletter'))
})

test('folders are moved, and moved back', async () => {
  const one = await user('lou')
  await one.open('/light/folders')
  await one.submit(holds('value="create"'), { name: 'Trips' }, ['act', 'create'])
  await one.submit(holds('value="create"'), { name: 'Years' }, ['act', 'create'])
  const years = /value="([^"]+)">(?:&nbsp;)*Years/.exec(one.current.text)?.[1] ?? ''
  const forms = (form: Form): boolean => form.inner.includes('Move Trips into')
  await one.submit(forms, { parent: years }, ['act', 'move'])
  assert.match(one.current.text, /Years <\/a><ul><li><a[^>]*>Trips/)
  assert.ok(!/Years <\/a><ul>/.test((await undo(one)).text))
})

test('app passwords: made behind the password, good for JMAP beside a second step, taken back', async () => {
  const one = await user('lou')
  await one.open('/light/options/app-passwords')
  const form = holds('value="add"')
  assert.equal((await one.submit(form, { name: 'Program', protocol: 'jmap', password: 'wrong' })).status, 422)
  const none = await one.submit(form, { name: 'Program', protocol: [], password: PASSWORD })
  assert.equal(none.status, 422)
  const made = await one.submit(form, { name: 'Program', protocol: 'jmap', password: PASSWORD })
  const password = /<pre class="key">([^<]+)</.exec(made.text)?.[1] ?? ''
  const jmap = (word: string) =>
    one.send('GET', '/jmap/session', {
      headers: {
        Authorization: `Basic ${Buffer.from(`lou@example.com:${word}`).toString('base64')}`,
        'Sec-Fetch-Site': 'none',
      },
    })
  assert.equal((await jmap(password)).status, 200)
  await one.open('/light/options/app-passwords')
  assert.match(one.current.text, /Program/)
  await one.submit(holds('value="remove"'))
  assert.equal((await jmap(password)).status, 401)
})

test('every page of the options in French, within 25 KB', async () => {
  const one = await user('max')
  await one.open('/light/options/regional')
  await one.submit(action('/light/options/regional'), { language: 'fr', zone: 'Europe/Paris' })
  const paths = [...links(one.current).values()].filter((path) => path.startsWith('/light/options/'))
  assert.ok(paths.length > 12, String(paths))
  for (const path of [...paths, '/light/options/rules/new', '/light/people?q=bob', '/light/held', '/light/folders'])
    assert.match((await one.open(path)).text, /<html lang="fr">/, path)
})

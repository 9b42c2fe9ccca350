import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { type Form, type Page, PlainBrowser } from '../src/browser/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { run, until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import {
  action,
  actOn,
  deliver as deliverTo,
  follow,
  idOf,
  inbox,
  lightUser,
  links,
  mail,
  PASSWORD,
} from './light-user.ts'

let server: TestServer
const browsers: PlainBrowser[] = []

before(async () => {
  server = await TestServer.start({
    config: { web: { inactivityTimeout: '5m' }, pop3: { externalConnection: 'mail.example.com:995:SSL' } },
  })
  for (const name of ['bob', 'eve', 'ann']) await server.addUser(`${name}@example.com`, PASSWORD)
  // What is sent here leaves at once.
  for (const name of ['bob', 'eve', 'ann']) {
    const one = await user(name)
    await one.open('/light/options/handling')
    await one.submit(action('/light/options/handling'), { undoSeconds: '0' })
  }
})
after(async () => {
  for (const one of browsers) one.close()
  await server?.stop()
})

const user = (name: string): Promise<PlainBrowser> => lightUser(server, name, browsers)
const deliver = (name: string, message: string): Promise<void> => deliverTo(server, name, message)

test('R18: reading: list, unread, text first, formatting and pictures only when asked for', async () => {
  const html =
    '<html><style>p{color:red}</style><body><p style="position:fixed" onclick=x>Dear <b>you</b><script>alert(1)</script></p><img src="http://tracker.example/1.gif" alt=T></body></html>'
  await deliver('bob', mail('Letter', html, 'MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n'))
  const one = await user('bob')
  const list = await inbox(one)
  assert.match(list.text, /class="unread"/)
  assert.match(list.text, /Zoë Müller/)
  const page = await follow(one, 'Letter')
  assert.match(page.text, /Dear you/)
  assert.ok(!page.text.includes('alert(1)') && !page.text.includes('tracker.example'))
  const formatted = await follow(one, 'Show with formatting')
  assert.match(formatted.text, /Dear <b>you<\/b>/)
  assert.ok(!formatted.text.includes('src="http'))
  const shown = await follow(one, /Show pictures .*\(1\)/)
  const picture = /src="(\/mail\/picture\?[^"]+)"/.exec(shown.text)?.[1]?.replaceAll('&amp;', '&') ?? ''
  assert.match(picture, /^\/mail\/picture\?u=http%3A%2F%2Ftracker.example/)
  assert.equal((await one.send('GET', picture.replace('tracker', 'other'))).status, 403)
  assert.ok(!(await inbox(one)).text.includes('class="unread"'), 'it is read now')
  const id = /\/light\/mail\/([\w-]+)/.exec(page.url)?.[1]
  const accountId = JSON.parse((await one.send('GET', '/web/session')).text).accountId
  const body = await one.send('GET', `/mail/body/${accountId}/${id}`)
  assert.equal(body.status, 200)
  assert.equal(body.headers['postrider-pictures'], '1')
  assert.match(String(body.headers['content-security-policy']), /sandbox allow-same-origin/)
  assert.ok(
    body.text.includes('class="pr-blocked"') && !body.text.includes('tracker.example') && !body.text.includes('alert'),
  )
  assert.match((await one.send('GET', `/mail/body/${accountId}/${id}?pictures=1`)).text, /\/mail\/picture\?u=/)
})

test('acts on several: flag, unread, delete and its undo, move, junk, select all', async () => {
  for (const n of [1, 2, 3]) await deliver('bob', mail(`Batch ${n}`))
  const one = await user('bob')
  assert.match((await actOn(one, 'Batch 1', 'flag')).text, /Batch 1<\/a> <span class="mark">unread, flagged/)
  assert.match((await actOn(one, 'Batch 1', 'read')).text, /Batch 1<\/a> <span class="mark">flagged/)
  const page = await inbox(one)
  const gone = await one.submit(action('/light/list'), { id: [idOf(page, 'Batch 1'), idOf(page, 'Batch 2')] }, [
    'act',
    'delete',
  ])
  assert.match(gone.text, /Done: 2 messages\./)
  assert.ok(!gone.text.includes('Batch 1') && !gone.text.includes('Batch 2'))
  const back = await one.submit(action('/light/undo'))
  assert.match(back.text, /Undone\./)
  assert.ok(back.text.includes('Batch 1') && back.text.includes('Batch 2'))
  await actOn(one, 'Batch 3', 'junk')
  assert.match((await follow(one, /^Junk/)).text, /Batch 3/)
  const junk = one.current
  const restored = await one.submit(action('/light/list'), { id: idOf(junk, 'Batch 3') }, ['act', 'notjunk'])
  assert.ok(!restored.text.includes('>Batch 3<'))
  const target = /\/light\/folder\/([\w-]+)"[^>]*>Archive/.exec(one.current.text)?.[1]
  if (target !== undefined) assert.ok(!(await actOn(one, 'Batch 3', 'move', { target })).text.includes('>Batch 3<'))
  await inbox(one)
  const all = await follow(one, 'Select all on this page')
  assert.equal(all.text.split('name="id"').length - 1, all.text.match(/name="id"[^>]* checked/g)?.length)
  assert.match((await one.submit(action('/light/list'), {}, ['act', 'read'])).text, /Done: \d+ messages/)
  await inbox(one)
  assert.match((await one.submit(action('/light/list'), {}, ['act', 'delete'])).text, /Select at least one message/)
})

test('pages of a long list, every one within 25 KB', async () => {
  const imap = await ImapClient.login(server.port('imaps'), 'ann@example.com', PASSWORD)
  const long =
    'A very long subject with many words that goes on and on and is longer than anybody would want to read in a list &<>" '
  for (let n = 0; n < 60; n++) await imap.append('INBOX', mail(`${long}${n}`).replace(/\n/g, '\r\n'))
  imap.close()
  const one = await user('ann')
  assert.match((await inbox(one)).text, /Page 1 of 3/)
  await follow(one, 'Next page')
  assert.match((await follow(one, 'Next page')).text, /Page 3 of 3/)
  assert.ok(!links(one.current).has('Next page'))
  assert.match((await one.open(`${one.current.url.split('?')[0]}?page=999`)).text, /Page 3 of 3/)
  await inbox(one)
  const whole = await one.submit(action('/light/list'), { whole: '1' }, ['act', 'read'])
  assert.match(whole.text, /Done: 60 messages/)
})

test('writing: draft, attachment, reply to all, forward, send; the copy in Sent, the original answered', async () => {
  await deliver('bob', mail('Question', 'How are you?\nFine?'))
  const one = await user('bob')
  await inbox(one)
  await follow(one, 'Question')
  await follow(one, 'Reply to all')
  const values = new Map(one.forms().find(action('/light/compose'))?.values())
  assert.equal(values.get('to'), 'Zoë Müller <zoe@elsewhere.example>, Eve <eve@example.com>')
  assert.equal(values.get('cc'), 'ann@example.com')
  assert.equal(values.get('subject'), 'Re: Question')
  assert.match(String(values.get('text')), /On .*Zoë Müller wrote:\n> How are you\?\n> Fine\?/)
  const file = { name: 'note "1".txt', type: 'text/plain', bytes: Buffer.from('Attached.\r\n\0') }
  const draft = await one.submit(
    action('/light/compose'),
    { to: 'eve@example.com', cc: '', text: 'Very well <b>thanks</b> ünïcode', files: file },
    ['act', 'save'],
  )
  assert.match(draft.url, /draft=/)
  assert.match(draft.text, /Keep note &quot;1&quot;\.txt|Keep note _?1_?\.txt|Keep note/)
  assert.match((await follow(one, /^Drafts/)).text, /Re: Question/)
  await follow(one, 'Re: Question')
  const sent = await one.submit(action('/light/compose'), { source: '', kind: '' }, ['act', 'send'])
  assert.match(sent.text, /Sent\./)
  assert.match((await follow(one, /^Sent/)).text, /Re: Question/)
  assert.ok(!(await follow(one, /^Drafts/)).text.includes('Re: Question'), 'the draft is gone')
  const eve = await user('eve')
  const arrived = await until(
    'the reply arrives',
    async () => ((await inbox(eve)).text.includes('Re: Question') ? eve.current : undefined),
    10_000,
  )
  assert.match(arrived.text, /attachment/)
  const read = await follow(eve, 'Re: Question')
  assert.match(read.text, /Very well &lt;b&gt;thanks&lt;\/b&gt; ünïcode/)
  const download = [...links(read)].find(([name]) => name.startsWith('note'))?.[1] ?? ''
  const got = await eve.send('GET', download)
  assert.equal(got.bytes.toString(), 'Attached.\r\n\0')
  assert.match(String(got.headers['content-disposition']), /^attachment/)
  const again = await follow(eve, 'Forward')
  assert.match(again.text, /Forwarded message/)
  const onward = await eve.submit(action('/light/compose'), { to: 'ann@example.com' }, ['act', 'send'])
  assert.match(onward.text, /Sent\./)
  assert.match((await inbox(eve)).text, /Re: Question/)
  const ann = await user('ann')
  await until(
    'the forward arrives',
    async () => ((await inbox(ann)).text.includes('Fwd: Re: Question') ? true : undefined),
    10_000,
  )
  assert.match((await follow(ann, 'Fwd: Re: Question')).text, /note/, 'with its attachment')
  // What is answered says so, and belongs to its conversation.
  await inbox(one)
  await follow(one, 'Question')
  await follow(one, 'Reply')
  await one.submit(action('/light/compose'), { to: 'eve@example.com' }, ['act', 'send'])
  assert.match((await inbox(one)).text, /Question<\/a> <span class="mark">answered/)
  const imap = await ImapClient.login(server.port('imaps'), 'eve@example.com', PASSWORD)
  await until(
    'the second reply arrives',
    async () => {
      await imap.command('SELECT INBOX')
      const { untagged } = (await imap.command('FETCH * BODY[HEADER.FIELDS (IN-REPLY-TO REFERENCES)]')) as unknown as {
        untagged: readonly string[]
      }
      return untagged.join('').includes('<Question@elsewhere.example>') || undefined
    },
    10_000,
  )
  imap.close()
})

test('writing: people are found, faults keep what was typed', async () => {
  const one = await user('bob')
  await one.open('/light/compose')
  const found = await one.submit(
    action('/light/compose'),
    { subject: 'Kept subject', text: 'Kept text', find: 'ann' },
    ['act', 'find'],
  )
  assert.match(found.text, /People found/)
  const add =
    /name="add" value="([^"]+)"/
      .exec(found.text)?.[1]
      ?.replaceAll('&quot;', '"')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>') ?? ''
  const none = await one.submit(action('/light/compose'), { to: 'not an address' }, ['act', 'send'])
  assert.equal(none.status, 422)
  assert.match(none.text, /This is no address: not an address/)
  assert.match(none.text, /id="to" name="to" value="not an address" aria-invalid="true" aria-describedby="to-fault"/)
  assert.match(none.text, /Kept subject/)
  assert.match(none.text, /Kept text/)
  const empty = await one.submit(action('/light/compose'), { to: '' }, ['act', 'send'])
  assert.match(empty.text, /Name at least one recipient/)
  const sent = await one.submit(action('/light/compose'), { to: '', add }, ['act', 'send'])
  assert.match(sent.text, /Sent\./)
  await one.open('/light/compose')
  assert.match((await one.submit(action('/light/compose'), {}, ['act', 'discard'])).text, /discarded/)
})

test('searching with operators', async () => {
  await deliver('bob', mail('Needle one', 'a haystack of words'))
  await deliver('bob', mail('Needle two', 'another stack'))
  const one = await user('bob')
  const search = async (query: string): Promise<Page> => {
    await inbox(one)
    return one.submit(action('/light/search'), { q: query })
  }
  const both = await until(
    'the words are indexed',
    async () => {
      const page = await search('needle')
      return page.text.includes('Needle one') && page.text.includes('Needle two') ? page : undefined
    },
    15_000,
  )
  assert.match(both.text, /2 messages/)
  for (const [query, first, second] of [
    ['subject:"needle one"', true, false],
    ['needle -haystack', false, true],
    ['from:zoe needle is:unread', true, true],
    ['needle before:2000-01-01', false, false],
    ['needle in:inbox', true, true],
    ['needle has:attachment', false, false],
  ] as const) {
    const page = await search(query)
    assert.deepEqual(
      [page.text.includes('Needle one</a>'), page.text.includes('Needle two</a>')],
      [first, second],
      query,
    )
  }
  assert.match((await search('needle wrong:thing')).text, /This was not understood: wrong:thing/)
})

test('folders: create, rename, delete', async () => {
  const one = await user('bob')
  await inbox(one)
  await follow(one, 'Manage folders')
  await one.submit((form) => form.inner.includes('value="create"'), { name: 'Travel & more' }, ['act', 'create'])
  assert.match(one.current.text, /Travel &amp; more/)
  assert.match(
    (await one.submit((form) => form.inner.includes('value="create"'), { name: 'Travel & more' }, ['act', 'create']))
      .text,
    /did not work/,
  )
  await one.open('/light/folders')
  await one.submit(
    (form) => form.inner.includes('Travel &amp; more') && form.inner.includes('value="rename"'),
    { name: 'Trips' },
    ['act', 'rename'],
  )
  assert.ok(links(one.current).has('Trips'))
  await one.submit((form) => form.inner.includes('Delete Trips'), { sure: '1' }, ['act', 'delete'])
  assert.ok(!links(one.current).has('Trips'))
})

test('R46–R49: the twelve values at both paths, each revealed by its own setting', async () => {
  const one = await user('bob')
  await inbox(one)
  await follow(one, 'Settings')
  await follow(one, 'My account')
  const page = await follow(one, 'Settings for POP or IMAP access')
  assert.match(page.text, /leave a copy of your messages on the server/)
  const row = (label: string): string => page.text.split('<tr>').find((one) => one.includes(label)) ?? ''
  assert.match(row('POP setting'), /mail\.example\.com<\/strong>.*995<\/strong>.*SSL<\/strong>/)
  assert.match(row('IMAP setting'), /not configured/)
  assert.match(row('SMTP setting'), /not configured/)
  assert.match(row('IMAP setting'), new RegExp(`<strong>${server.port('imaps')}</strong>`))
  await one.open('/light/options')
  assert.equal((await follow(one, 'POP and IMAP')).url, page.url)
})

test('options: language, zone, signature, automatic replies, sessions', async () => {
  const one = await user('eve')
  await one.open('/light/options/regional')
  assert.match(
    (await one.submit(action('/light/options/regional'), { language: 'fr', zone: 'Asia/Tokyo' })).text,
    /<html lang="fr">[\s\S]*Enregistré/,
  )
  await one.open('/light/options/replies')
  const scheduled = {
    state: 'scheduled',
    start: '2026-12-24 18:00',
    end: '2027-01-02 08:00',
    'send-inside': '1',
    inside: 'Parti !',
  }
  assert.equal((await one.submit(action('/light/options/replies'), { ...scheduled, end: 'never' })).status, 422)
  assert.match(one.current.text, /Parti !/)
  await one.submit(action('/light/options/replies'), scheduled)
  const kept = await one.open('/light/options/replies')
  assert.match(kept.text, /id="start" name="start" value="2026-12-24 18:00"/)
  assert.match(kept.text, /id="scheduled" name="state" value="scheduled" checked/)
  await one.submit(action('/light/options/replies'), { state: 'disabled' })
  await one.open('/light/options/signature')
  await one.submit(action('/light/options/signature'), { signature: 'Eve\nExample Ltd' })
  assert.match((await one.open('/light/compose')).text, /-- \nEve\nExample Ltd<\/textarea>/)
  await one.open('/light/options/regional')
  await one.submit(action('/light/options/regional'), { language: 'en', zone: 'UTC' })
  const other = await user('eve')
  const page = await one.open('/light/options/sessions')
  assert.match(page.text, /this session/)
  await one.submit((form) => form.inner.includes('value="others"'))
  assert.match((await other.open('/light/')).url, /^\/signin\?why=signedout/)
  assert.match((await one.open('/light/options/devices')).text, /No device/)
})

test('the second step: set up by hand, asked for at sign-in, recovery codes, taken off by the administrator', async () => {
  const one = await user('ann')
  await one.open('/light/options/security')
  assert.equal((await one.submit(action('/light/options/security'), { password: 'wrong' })).status, 422)
  const page = await one.submit(action('/light/options/security'), { password: PASSWORD })
  const secret = /secret=([A-Z2-7]+)/.exec(page.text)?.[1] ?? ''
  const { stdout } = await run(process.execPath, [
    '-e',
    `
    const bits = [...'${secret}'].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
    const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
    const t = Buffer.alloc(8); t.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)))
    const m = require('crypto').createHmac('sha1', key).update(t).digest()
    console.log(String((m.readUInt32BE(m[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0'))`,
  ])
  const codes = await one.submit(action('/light/options/security'), { code: stdout.trim() })
  const recovery = /<pre class="key">([\s\S]*?)<\/pre>/.exec(codes.text)?.[1]?.split('\n') ?? []
  assert.equal(recovery.length, 10)
  const next = new PlainBrowser(server.port('https'))
  browsers.push(next)
  assert.equal((await next.signIn('ann@example.com', PASSWORD, { light: '1' })).url, '/signin/code')
  assert.match((await next.open('/light/')).url, /^\/signin/, 'the password alone opens nothing')
  const jmap = (password: string) =>
    next.send('GET', '/jmap/session', {
      headers: {
        Authorization: `Basic ${Buffer.from(`ann@example.com:${password}`).toString('base64')}`,
        'Sec-Fetch-Site': 'none',
      },
    })
  const refused = await jmap(PASSWORD)
  assert.equal(refused.status, 401, 'nor does it by JMAP')
  assert.match(refused.text, /second step/)
  await next.open('/signin/code')
  assert.equal((await next.submit(action('/signin/code'), { code: '000000' })).status, 422)
  assert.match((await next.submit(action('/signin/code'), { code: recovery[0] ?? '' })).url, /^\/light\//)
  const removed = await server.command(['user', 'second-step', 'remove', 'ann@example.com'])
  assert.match(removed.stdout, /password alone/, removed.stderr)
  assert.match((await user('ann')).current.url, /^\/light\//)
  await next.open('/light/options/security')
  assert.match(next.current.text, /needs only your password/)
})

test('forms: a wrong token, another site, a GET: nothing is changed', async () => {
  const one = await user('bob')
  await inbox(one)
  assert.equal((await one.submit(action('/light/list'), { csrf: 'x' }, ['act', 'delete'])).status, 403)
  await one.open('/light/compose')
  one.headers = { 'Sec-Fetch-Site': 'cross-site' }
  assert.equal((await one.submit(action('/light/compose'), { to: 'eve@example.com' }, ['act', 'send'])).status, 403)
  one.headers = {}
  assert.match((await one.open('/light/list?act=delete')).url, /^\/light\/folder/)
  assert.equal((await one.open('/light/nowhere')).status, 404)
  assert.equal((await one.open('/light/folder/none')).status, 404)
  assert.equal((await one.open('/light/mail/Mx')).status, 404)
  await inbox(one)
  assert.match((await one.submit(action('/signout'))).url, /^\/signin\?why=signedout/)
  assert.match((await one.open('/light/')).url, /^\/signin/)
})

/** The server over plain HTTP with a session of its own: for programs that cannot be told to trust a certificate made a second ago. */
async function doorway(t: TestContext, one: PlainBrowser): Promise<string> {
  const doorway = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const type = request.headers['content-type']
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type }
      const sent = { headers, body: Buffer.concat(chunks) }
      one.send(request.method ?? 'GET', request.url ?? '/', sent).then(
        ({ status, headers, bytes }) => {
          const { location, 'content-type': kind = 'text/plain' } = headers
          response.writeHead(status, {
            'Content-Type': kind,
            ...(location === undefined ? {} : { Location: location }),
          })
          response.end(bytes)
        },
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((done) => doorway.listen(0, '127.0.0.1', done))
  t.after(() => {
    doorway.closeAllConnections()
    doorway.close()
  })
  return `http://127.0.0.1:${(doorway.address() as AddressInfo).port}`
}

test('R7, R64: the user’s own devices: list, wipe behind the password, recovery password, wipe taken back', async () => {
  const phone = new Phone({ port: server.port('https'), tls: true, user: 'bob@example.com', password: PASSWORD })
  await phone.provision()
  const one = await user('bob')
  const page = await one.open('/light/options/devices')
  const device = (form: Form): boolean => form.inner.includes('value="device"')
  assert.match(page.text, /Wipe device/)
  const wrong = await one.submit(device, { password: 'wrong' }, ['do', 'wipe'])
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /The password is not right/)
  assert.match(
    (await one.submit(device, { password: PASSWORD }, ['do', 'recovery'])).text,
    /stored no recovery password/,
  )
  assert.match((await one.submit(device, { password: PASSWORD }, ['do', 'wipe'])).text, /Wipe ordered/)
  assert.match((await one.submit(device, {}, ['do', 'cancel'])).text, /<dd>OK<\/dd>/)
  const other = await user('eve')
  assert.match((await other.open('/light/options/devices')).text, /No device/)
  assert.match((await one.submit(device, {}, ['do', 'remove'])).text, /No device/)
})

const skip = without('w3m', 'lynx', 'links')
test('R18: w3m, lynx and links: sign-in, list, reading; a mail is written and sent with lynx', { skip }, async (t) => {
  await deliver('bob', mail('For text browsers', 'Plain words.'))
  const one = await user('bob')
  const at = await doorway(t, one)
  const w3m = async (path: string): Promise<string> =>
    (await run('w3m', ['-O', 'UTF-8', '-dump', '-cols', '100', at + path])).stdout
  const lynx = async (path: string, ...more: string[]): Promise<string> =>
    (await run('lynx', ['-dump', '-display_charset=UTF-8', '-width=100', ...more, at + path])).stdout
  const browse = async (path: string): Promise<string> =>
    (await run('links', ['-dump', '-codepage', 'utf-8', '-width', '100', at + path])).stdout
  for (const dump of [w3m, lynx, browse]) {
    assert.match(await dump('/signin'), /Email address[\s\S]*Password[\s\S]*Light version/)
    const list = await dump('/light/')
    assert.match(list, /For text browsers/)
    assert.match(list, /Mark as read/)
    const path = links(await inbox(one)).get('For text browsers') ?? ''
    assert.match(await dump(path), /From[\s\S]*Zoë Müller[\s\S]*Plain words\./)
    assert.match(await dump('/light/options/account/pop-imap'), /mail\.example\.com/)
    const acts = await dump(`/light/acts?id=${/M\d+/.exec(path)?.[0] ?? ''}&here=%2Flight%2F`)
    // A list shows its first entry only, and in the morning that is not tomorrow's.
    assert.match(acts, /Snooze[\s\S]*(?:Later today|Tomorrow morning)[\s\S]*Categories[\s\S]*Block, and move to Junk/)
    assert.match(await dump('/light/options/rules/new'), /Subject contains[\s\S]*Save and try on the Inbox/)
    assert.match(await dump('/light/people?q=eve'), /eve@example\.com/)
    assert.match(await dump('/light/options/appearance'), /Theme[\s\S]*Density/)
  }
  await one.open('/light/compose')
  const form = one.forms().find(action('/light/compose'))
  const values = new URLSearchParams(
    form?.values().flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  for (const [name, value] of [
    ['to', 'eve@example.com'],
    ['subject', 'By lynx'],
    ['text', 'Typed in a terminal.'],
    ['act', 'send'],
  ] as const)
    values.set(name, value)
  const posted = await run('lynx', ['-dump', '-post_data', `${at}/light/compose`], { input: `${values}\n---\n` })
  assert.match(posted.stdout, /Sent\./, posted.stdout + posted.stderr)
})

/** `postrider import` and `postrider export` against the running program, real Maildirs and a real Dovecot. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ImapClient } from '@postrider/testkit/imap'
import { startDovecot } from '@postrider/testkit/peers'
import { run, temporaryFolder, until } from '@postrider/testkit/process'
import { without } from '@postrider/testkit/programs'
import { TestServer } from '@postrider/testkit/server'

const main = resolve(import.meta.dirname, '..', 'src', 'main.ts')
const bob = 'bob@example.com'
const password = 'bobs long password'

async function server(t: TestContext): Promise<TestServer> {
  const it = await TestServer.start()
  t.after(() => it[Symbol.asyncDispose]())
  await it.addUser(bob, password)
  return it
}
function folder(t: TestContext): string {
  const made = temporaryFolder('transfer')
  t.after(() => made[Symbol.dispose]())
  return made.path
}
interface Report {
  readonly imported: number
  readonly skipped: number
  readonly badCount: number
  readonly bad: readonly { where: string; why: string }[]
  readonly warnings: readonly string[]
}
/** The report of an import or export; `code` is what the command ended with. */
async function command(it: TestServer, ...args: string[]): Promise<Report & { code: number | null; output: string }> {
  const { code, stdout, stderr } = await it.command([...args, '--json'])
  const last = stdout.trim().split('\n').at(-1) ?? ''
  const { result } = JSON.parse(last === '' ? '{}' : last) as { result?: Report }
  if (result === undefined) throw new Error(`${args.join(' ')}: exit ${code}\n${stdout}${stderr}`)
  return { ...result, code, output: stdout + stderr }
}
const mail = (subject: string, body = 'hello\n'): string =>
  `From: eve@example.org\nSubject: ${subject}\nDate: Thu, 21 Nov 2024 10:00:00 +0000\n\n${body}`

/** Every mail of every folder: flags, date, UID and text. */
async function everything(port: number, tls: boolean, user = bob, word = password): Promise<Map<string, string>> {
  const client = await ImapClient.connect(port, { tls })
  assert.equal((await client.command(`LOGIN "${user}" "${word}"`)).status, 'OK')
  const found = new Map<string, string>()
  for (const line of (await client.command('LIST "" "*"')).untagged) {
    if (/\\noselect/i.test(line)) continue
    const name = / "(?:\/|\.)" "?(.*?)"?$/.exec(line)?.[1] ?? ''
    const { text, untagged } = await client.command(`EXAMINE "${name}"`)
    assert.match(text, /READ-ONLY|OK/)
    const validity = /UIDVALIDITY (\d+)/.exec(untagged.join('\n'))?.[1]
    const mails = await client.command('UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])')
    for (const answer of mails.untagged.filter((one) => one.includes('FETCH'))) {
      const uid = /UID (\d+)/.exec(answer)?.[1]
      const flags = (/FLAGS \(([^)]*)\)/.exec(answer)?.[1] ?? '')
        .split(' ')
        .filter((one) => one !== '' && one !== '\\Recent')
        .sort()
        .join(' ')
      const date = Date.parse(/INTERNALDATE "([^"]*)"/.exec(answer)?.[1] ?? '')
      const body = answer
        .slice(answer.indexOf('}\r\n') + 3)
        .replace(/\)$/, '')
        .replace(/ (?:FLAGS|UID|INTERNALDATE).*$/s, '')
      found.set(`${name};${validity};${uid}`, `${flags}|${date}|${body}`)
    }
  }
  await client.command('LOGOUT')
  return found
}
const texts = (all: Map<string, string>, name: string): string[] =>
  [...all].filter(([key]) => key.startsWith(`${name};`)).map(([, value]) => value)

test('a Maildir comes over with folders, flags, keywords, dates, UIDs; bad mails are reported; a second run brings only what is new', async (t) => {
  const it = await server(t)
  const source = folder(t)
  const at = Date.UTC(2020, 0, 3, 4, 5, 6)
  const put = (box: string, sub: string, name: string, text: string): void => {
    for (const one of ['cur', 'new', 'tmp']) mkdirSync(join(source, box, one), { recursive: true })
    const file = join(source, box, sub, name)
    writeFileSync(file, text)
    utimesSync(file, at / 1000, at / 1000)
  }
  put('', 'cur', '1580000000.M1P1.host,S=10:2,FSa', mail('flagged'))
  put('', 'cur', '1580000001.M2P1.host:2,RT', mail('answered', 'From here\nto there\n'))
  put('', 'new', '1580000002.M3P1.host', mail('fresh'))
  put('', 'cur', '1580000003.M4P1.host:2,S', '')
  put('.Sent', 'cur', '1580000004.M5P1.host:2,S', mail('sent'))
  put('.Projects.2020 &- Caf&AOk-', 'cur', '1580000005.M6P1.host:2,PS', mail('inside'))
  writeFileSync(join(source, 'dovecot-keywords'), '0 Work\n')
  writeFileSync(
    join(source, 'dovecot-uidlist'),
    '3 V1234567 N90 G0123\n17 :1580000000.M1P1.host,S=10\n40 W12 :1580000001.M2P1.host\n',
  )
  const first = await command(it, 'import', bob, source)
  assert.deepEqual([first.code, first.imported, first.skipped, first.badCount], [1, 5, 0, 1])
  assert.match(first.bad[0]?.where ?? '', /1580000003/)
  const all = await everything(it.port('imaps'), true)
  const crlf = (text: string): string => text.replace(/\n/g, '\r\n')
  assert.equal(all.get('INBOX;1234567;17'), `Work \\Flagged \\Seen|${at}|${crlf(mail('flagged'))}`)
  assert.equal(
    all.get('INBOX;1234567;40'),
    `\\Answered \\Deleted|${at}|${crlf(mail('answered', 'From here\nto there\n'))}`,
  )
  assert.equal(texts(all, 'INBOX').length, 3)
  assert.deepEqual(texts(all, 'Sent Items'), [`\\Seen|${at}|${crlf(mail('sent'))}`])
  assert.deepEqual(texts(all, 'Projects/2020 &- Caf&AOk-'), [`$Forwarded \\Seen|${at}|${crlf(mail('inside'))}`])

  put('', 'new', '1580000009.M9P1.host', mail('later'))
  const second = await command(it, 'import', bob, source)
  assert.deepEqual([second.imported, second.skipped], [1, 5])
  const after = await everything(it.port('imaps'), true)
  assert.equal(after.size, 6)
  const uids = [...after.keys()].filter((key) => key.startsWith('INBOX')).map((key) => Number(key.split(';')[2]))
  assert.ok(Math.max(...uids) >= 90, 'UIDs go on above all that the source gave')

  // The same over the data folder, while the server is stopped.
  await it.stop()
  assert.deepEqual([(await command(it, 'import', bob, source)).imported], [0])
})

test('export → import → export is the same to the last byte, in all formats; Python’s readers agree', {
  skip: without('python3'),
}, async (t) => {
  const it = await server(t)
  const root = folder(t)
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  assert.equal((await client.command('CREATE "Odd & names/.dots. in it"')).status, 'OK')
  assert.equal((await client.command('SUBSCRIBE "Odd & names/.dots. in it"')).status, 'OK')
  const odd = ['From me\r\n>From you\r\n', 'a\r\n\r\nStatus: R\r\n', 'no end of line', 'x\r\r\ny\r\n', '']
  for (const [i, body] of odd.entries()) {
    const text = `${i === 3 ? 'Status: RO\r\n' : ''}Subject: mail ${i}\r\nFrom: eve@example.org\r\n\r\n${body}`
    await client.append('INBOX', text, ['\\Seen', '\\Flagged $Forwarded', 'Work', '', '\\Draft $Junk'][i])
    await client.append('Odd & names/.dots. in it', text.replace('mail', 'other'), 'Later \\Answered')
  }
  await client.command('LOGOUT')
  for (const format of ['maildir', 'mbox', 'eml']) {
    const [a, b] = [join(root, `${format}-a`), join(root, `${format}-b`)]
    const user = `${format}@example.com`
    await it.addUser(user, password)
    assert.equal((await command(it, 'export', bob, a, '--format', format)).code, 0)
    const report = await command(it, 'import', user, a)
    assert.deepEqual([report.imported, report.badCount, report.warnings], [10, 0, []], format)
    assert.equal((await command(it, 'export', user, b, '--format', format)).code, 0)
    assert.deepEqual(tree(b), tree(a), format)
    assert.deepEqual(tree(a).length > 5, true)
    const mine = await everything(it.port('imaps'), true)
    const theirs = await everything(it.port('imaps'), true, user)
    // mbox knows no mail without an end of line, and no milliseconds (IMAP neither).
    if (format === 'mbox') assert.deepEqual([...theirs.keys()].sort(), [...mine.keys()].sort())
    else assert.deepEqual(theirs, mine)
    // Again into the same folder: nothing to do.
    const again = JSON.parse(
      (await it.command(['export', user, b, '--format', format, '--json'])).stdout.trim().split('\n').at(-1) ?? '',
    ) as {
      result: { mails: number }
    }
    assert.equal(again.result.mails, 0)
  }
  const program = `
import mailbox, sys
m = mailbox.Maildir(sys.argv[1], factory=None, create=False)
b = mailbox.mbox(sys.argv[2], create=False)
print(len(m), sorted(x['subject'] for x in m), sorted(''.join(sorted(x.get_flags())) for x in m))
print(len(b), [x['subject'] for x in b], [''.join(sorted(x.get_flags())) for x in b], b[0].get_from()[:20])
`
  const python = await run('python3', ['-c', program, join(root, 'maildir-a'), join(root, 'mbox-a', 'Inbox.mbox')])
  assert.equal(python.code, 0, python.stderr)
  assert.match(python.stdout, /^5 \['mail 0', 'mail 1', 'mail 2', 'mail 3', 'mail 4'\] \['', 'Da', 'FP', 'S', 'b'\]$/m)
  assert.match(
    python.stdout,
    /^5 \['mail 0', 'mail 1', 'mail 2', 'mail 3', 'mail 4'\] \['OR', 'FO', 'O', 'O', 'OT'\] eve@example\.org /m,
  )
})

/** How many mails the inbox has. */
async function arrived(it: TestServer): Promise<number> {
  const client = await ImapClient.login(it.port('imaps'), bob, password)
  const { untagged } = await client.command('STATUS INBOX (MESSAGES)')
  await client.command('LOGOUT')
  return Number(/MESSAGES (\d+)/.exec(untagged.join(' '))?.[1])
}

/** Names, contents and (for mails) times of all files. */
function tree(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => !name.endsWith('.postrider-resume.json') && statSync(join(root, name)).isFile())
    .sort()
    .map((name) => {
      const isMail = /\.eml$|\/cur\/|^cur\//.test(name)
      const time = isMail ? Math.round(statSync(join(root, name)).mtimeMs) : ''
      return `${name} ${time} ${readFileSync(join(root, name), 'latin1')}`
    })
}

test('a Dovecot comes over by IMAP with its UIDs; killed in the middle on both sides, the next run leaves out and doubles nothing', {
  skip: without('dovecot'),
  timeout: 180_000,
}, async (t) => {
  const it = await server(t)
  await using dovecot = await startDovecot('maildir')
  const COUNT = 1_500
  const client = await ImapClient.connect(dovecot.port, { tls: false })
  await client.command(`LOGIN "carl" "x"`)
  for (const name of ['Sent', 'Lists.Dev', 'R&AOk-ponses'])
    assert.equal((await client.command(`CREATE "${name}"`)).status, 'OK', name)
  for (let i = 0; i < COUNT; i++) {
    const text = `Subject: mail ${i}\r\nFrom: eve@example.org\r\n\r\n${'body '.repeat(i % 50)}\r\n`
    client.send(
      `x${i} APPEND ${i % 10 === 0 ? 'Lists.Dev' : 'INBOX'} (${i % 3 === 0 ? '\\Seen key' : '\\Flagged'}) "03-Feb-2020 04:05:06 +0100" {${text.length}+}\r\n${text}\r\n`,
    )
  }
  for (let i = 0; i < COUNT; ) if (/^x\d+ OK/.test(await client.next(60_000))) i++
  // Gaps in the UIDs, as every mailbox has.
  await client.command('SELECT INBOX')
  await client.command('UID STORE 5:20,1340:1350 +FLAGS.SILENT (\\Deleted)')
  await client.command('EXPUNGE')
  await client.command('LOGOUT')
  const secret = join(it.folder, 'secret')
  writeFileSync(secret, 'anything\n')
  const args = ['import', bob, `imaps://carl@127.0.0.1:${dovecot.tlsPort}`, '--insecure', '--password-file', secret]

  // Twice the import is killed, once the server; then it is left alone.
  for (const victim of ['import', 'server', 'import'] as const) {
    const child = spawn(process.execPath, [main, ...args, '--json'], {
      env: { ...process.env, ...it.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'exit')
    // Not before something came over in this run.
    const before = await arrived(it)
    await until('mails arrive', async () => (await arrived(it)) > before, 30_000)
    if (victim === 'import') child.kill('SIGKILL')
    else await it.kill()
    await ended
    if (victim === 'server') await it.restart()
  }
  const last = await command(it, ...args)
  assert.ok(last.skipped > 0 && last.imported > 0, `killed in the middle: ${last.skipped} known, ${last.imported} new`)
  assert.equal(last.badCount, 0, last.output)
  assert.deepEqual((await command(it, ...args)).imported, 0)
  const theirs = await everything(dovecot.port, false, 'carl', 'x')
  const ours = await everything(it.port('imaps'), true)
  assert.deepEqual(ours.size, theirs.size)
  const renamed = new Map([...theirs].map(([key, value]) => [key.replace('Lists.Dev;', 'Lists/Dev;'), value]))
  assert.deepEqual(
    [...ours].filter(([key, value]) => renamed.get(key) !== value),
    [],
    'the same UIDs, flags, dates and texts',
  )
  const names = await command(it, 'export', bob, join(it.folder, 'out'))
  assert.equal(names.code, 0)
  assert.ok(readdirSync(join(it.folder, 'out')).includes('.R&AOk-ponses'), 'an empty folder too')
})

test('what cannot work is said in one sentence', { skip: without('dovecot') }, async (t) => {
  const it = await server(t)
  const fails = async (pattern: RegExp, ...args: string[]): Promise<void> => {
    const { code, stderr } = await it.command(args, 'x\n')
    assert.notEqual(code, 0)
    assert.match(stderr, pattern)
  }
  const empty = folder(t)
  await fails(/There is no \/nowhere/, 'import', bob, '/nowhere')
  await fails(/no Maildir, no mbox/, 'import', bob, empty)
  await fails(/There is no mailbox nobody@example.com/, 'import', 'nobody@example.com', empty, '--format', 'eml')
  await fails(/Name the user/, 'import', bob, 'imaps://example.org')
  await fails(/does not belong into the address/, 'import', bob, 'imaps://a:b@example.org')
  await using dovecot = await startDovecot('maildir')
  await fails(
    /self.signed|certificate/i,
    'import',
    bob,
    `imaps://carl@127.0.0.1:${dovecot.tlsPort}`,
    '--password-stdin',
  )
  writeFileSync(join(empty, 'something'), 'x')
  await fails(/is not empty/, 'export', bob, empty)
})

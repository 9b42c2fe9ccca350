import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { commands } from '../commands/index.ts'
import type { Terminal } from './command.ts'
import { runCli } from './run.ts'

interface Console {
  run(...argv: string[]): Promise<{ code: number; out: string; error: string }>
  /** What is piped in, and what is typed when asked. */
  input: string
  typed: string[] | undefined
  folder: string
}
function consoleOf(t: TestContext): Console {
  const folder = mkdtempSync(join(tmpdir(), 'cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const it: Console = {
    folder,
    input: '',
    typed: undefined,
    async run(...argv) {
      const out: string[] = []
      const error: string[] = []
      const terminal: Terminal = {
        out: (text) => void out.push(text),
        error: (text) => void error.push(text),
        input: async () => it.input,
        askSecret: async () => it.typed?.shift(),
      }
      const code = await runCli(commands, argv, terminal, { POSTRIDER_DATA: folder })
      return { code, out: out.join('\n'), error: error.join('\n') }
    },
  }
  return it
}

test('help: for all, for a group, for a command; errors say where to look', async (t) => {
  const { run } = consoleOf(t)
  assert.deepEqual((await run()).code, 0)
  const all = await run('--help')
  for (const { name } of commands) assert.ok(all.out.includes(name), name)
  for (const { name } of commands) {
    const { code, out } = await run(...name.split(' '), '--help')
    assert.equal(code, 0)
    assert.match(out, /Usage: postrider /, name)
    assert.match(out, /--json/)
  }
  assert.match((await run('user', '--help')).out, /user app-password add/)
  const group = await run('user')
  assert.equal(group.code, 2)
  assert.match(group.error, /which one/)
  const unknown = await run('frobnicate')
  assert.equal(unknown.code, 2)
  assert.match(unknown.error, /there is no command 'frobnicate'/)
  const missing = await run('user', 'add')
  assert.deepEqual([missing.code, /address is missing\. See: postrider user add --help/.test(missing.error)], [2, true])
  const option = await run('user', 'list', '--loud')
  assert.deepEqual([option.code, /Unknown option '--loud'/.test(option.error)], [2, true])
  const many = await run('user', 'show', 'a', 'b')
  assert.deepEqual([many.code, /'b' is one word too many/.test(many.error)], [2, true])
  assert.match((await run('--version')).out, /^postrider \d+\.\d+\.\d+$/)
})

test('user: add, show, list, set, password, remove while no server runs', async (t) => {
  const it = consoleOf(t)
  it.input = 'a good password\nsecond line\n'
  const added = await it.run(
    'user',
    'add',
    'Bob@example.com',
    '--password-stdin',
    '--name',
    'Bob',
    '--quota',
    '1GB',
    '--json',
  )
  assert.equal(added.code, 0, added.error)
  const report = JSON.parse(added.out) as { address: string; quota: number; displayName: string }
  assert.deepEqual([report.address, report.quota, report.displayName], ['Bob@example.com', 1024 ** 3, 'Bob'])
  assert.ok(!added.out.includes('a good password'))
  const again = await it.run('user', 'add', 'bob@example.com', '--password-stdin', '--json')
  assert.deepEqual([again.code, (JSON.parse(again.out) as { error: { code: string } }).error.code], [1, 'exists'])
  const set = await it.run(
    'user',
    'set',
    'bob@example.com',
    '--off',
    'pop3,imap',
    '--alias',
    'rob@example.com',
    '--disable',
    '--hide',
    '--quota',
    'none',
    '--json',
  )
  const after = JSON.parse(set.out) as {
    protocols: string[]
    enabled: boolean
    aliases: string[]
    quota: null
    hidden: boolean
  }
  assert.deepEqual([after.enabled, after.aliases, after.quota, after.hidden], [false, ['rob@example.com'], null, true])
  assert.ok(!after.protocols.includes('pop3') && after.protocols.includes('activesync'))
  assert.match((await it.run('user', 'list', 'rob')).out, /Bob@example\.com +Bob +user +disabled/)
  assert.equal((await it.run('user', 'set', 'bob@example.com')).code, 2)
  assert.equal((await it.run('user', 'set', 'bob@example.com', '--enable', '--disable')).code, 2)
  assert.equal((await it.run('user', 'set', 'bob@example.com', '--on', 'telepathy')).code, 2)
  assert.equal((await it.run('user', 'password', 'rob@example.com', '--password-stdin')).code, 0)
  const guarded = await it.run('user', 'remove', 'bob@example.com')
  assert.deepEqual([guarded.code, /Add --yes/.test(guarded.error)], [1, true])
  assert.equal((await it.run('user', 'remove', 'bob@example.com', '--yes')).code, 0)
  const gone = await it.run('user', 'show', 'bob@example.com')
  assert.deepEqual([gone.code, /postrider user list/.test(gone.error)], [1, true])
})

test('passwords: asked twice, piped, made up; never too empty, warned when short', async (t) => {
  const it = consoleOf(t)
  const none = await it.run('user', 'add', 'a@example.com')
  assert.deepEqual([none.code, /--password-stdin/.test(none.error)], [2, true])
  const address = await it.run('user', 'add', 'no address')
  assert.match(address.error, /not an e-mail address/, 'before anybody is asked for a password')
  it.typed = ['one password', 'another one']
  assert.match((await it.run('user', 'add', 'a@example.com')).error, /not the same/)
  it.typed = ['one password', 'one password']
  assert.equal((await it.run('user', 'add', 'a@example.com')).code, 0)
  it.input = '\n'
  assert.match((await it.run('user', 'password', 'a@example.com', '--password-stdin')).error, /empty/)
  it.input = 'short'
  const short = await it.run('user', 'password', 'a@example.com', '--password-stdin')
  assert.deepEqual([short.code, /Warning/.test(short.error)], [0, true])
  const random = await it.run('user', 'add', 'b@example.com', '--random-password')
  assert.match(random.out, /Password: [a-z2-9]{20}/)
  assert.equal((await it.run('user', 'add', 'room@example.com', '--type', 'room')).code, 0)
})

test('app passwords, groups and domains', async (t) => {
  const it = consoleOf(t)
  await it.run('user', 'add', 'a@example.com', '--random-password')
  const made = JSON.parse(
    (await it.run('user', 'app-password', 'add', 'a@example.com', 'phone', '--for', 'imap,smtp', '--json')).out,
  ) as {
    id: string
    password: string
  }
  assert.match(
    (await it.run('user', 'app-password', 'list', 'a@example.com')).out,
    new RegExp(`${made.id} +phone +never +imap, smtp`),
  )
  assert.equal((await it.run('user', 'app-password', 'remove', 'a@example.com', made.id)).code, 0)
  assert.equal((await it.run('user', 'app-password', 'remove', 'a@example.com', made.id)).code, 1)

  assert.equal(
    (await it.run('group', 'add', 'all@example.com', 'a@example.com', 'x@far.example', '--name', 'All')).code,
    0,
  )
  assert.equal(
    (
      await it.run(
        'group',
        'set',
        'all@example.com',
        '--remove',
        'X@far.example',
        '--add',
        'user@example.com',
        '--inside-only',
      )
    ).code,
    0,
  )
  const group = JSON.parse((await it.run('group', 'show', 'all@example.com', '--json')).out) as {
    members: string[]
    insideOnly: boolean
  }
  assert.deepEqual([group.members, group.insideOnly], [['a@example.com', 'user@example.com'], true])
  assert.match((await it.run('group', 'list')).out, /all@example\.com +All +2/)
  assert.equal((await it.run('group', 'add', 'bad@example.com', 'nobody@example.com')).code, 1)
  assert.equal((await it.run('group', 'remove', 'all@example.com')).code, 0)

  assert.equal((await it.run('domain', 'add', 'Second.example', '--default')).code, 0)
  assert.match((await it.run('domain', 'list')).out, /second\.example +Authoritative +default/)
  assert.equal((await it.run('domain', 'remove', 'example.com')).code, 1)
  assert.equal((await it.run('domain', 'default', 'example.com')).code, 0)
  assert.equal((await it.run('domain', 'remove', 'second.example')).code, 0)
  assert.equal((await it.run('domain', 'add', 'x.example', '--type', 'Odd')).code, 2)
})

test('what needs the server says that it does not run, with exit code 3', async (t) => {
  const { run } = consoleOf(t)
  for (const line of ['status', 'reload', 'queue list', 'queue show 1']) {
    const { code, error } = await run(...line.split(' '))
    assert.deepEqual([code, /No postrider runs .* postrider start/.test(error)], [3, true], line)
  }
  const json = await run('status', '--json')
  assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, 'notRunning')
})

test('store check while the server is stopped', async (t) => {
  const { run } = consoleOf(t)
  await run('user', 'add', 'a@example.com', '--random-password')
  const { code, out, error } = await run('store', 'check', '--quick', '--json')
  assert.equal(code, 0, error)
  assert.deepEqual((JSON.parse(out) as { mailboxes: number; problems: string[] }).mailboxes, 3)
  assert.match((await run('store', 'check')).out, /0 items in 3 mailboxes, 0 bytes of messages read: all well/)
})

test('a first offline command makes domain, Administrator and first mailbox, in a file of the owner’s', async (t) => {
  const { run, folder } = consoleOf(t)
  const list = JSON.parse((await run('user', 'list', '--json')).out) as { address: string; administrator: boolean }[]
  assert.deepEqual(
    list.map((one) => [one.address, one.administrator]),
    [
      ['administrator@example.com', true],
      ['user@example.com', false],
    ],
  )
  const file = join(folder, 'first-accounts.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const accounts = JSON.parse(readFileSync(file, 'utf8')) as { mailbox: { address: string; password: string } }
  assert.equal(accounts.mailbox.address, 'user@example.com')
  assert.match(accounts.mailbox.password, /^[a-z2-9]{20}$/)
  await run('user', 'list')
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), accounts, 'made once')
})

test('config: effective values as a file, one setting explained, in French, errors', async (t) => {
  const { run, folder } = consoleOf(t)
  writeFileSync(join(folder, 'postrider.json'), '{ "domain": "corp.example", "metrics": { "token": "hush" } }')
  const shown = await run('config')
  assert.equal(shown.code, 0)
  assert.match(shown.out, /"domain": "corp\.example"/)
  assert.ok(!shown.out.includes('hush'))
  assert.deepEqual(JSON.parse((await run('config', '--only-changed')).out.replace(/^\/\/.*$/gm, '')), {
    domain: 'corp.example',
    metrics: { token: '(set)' },
  })
  const one = await run('config', 'imap.connectionsPerUser', '--language', 'fr')
  assert.equal(
    one.out.trim(),
    'imap.connectionsPerUser = 16 (par défaut)\n  Sessions IMAP d’un utilisateur.\n' +
      '  Type : nombre entier 1…10000. Prend effet au rechargement. Exchange : MaxConnectionsPerUser.',
  )
  const json = JSON.parse((await run('config', '--json')).out) as { settings: { name: string; source: string }[] }
  assert.equal(json.settings.find((row) => row.name === 'domain')?.source, 'file')
  assert.equal((await run('config', 'nonsense')).code, 2)
  writeFileSync(join(folder, 'postrider.json'), '{ "domian": 1 }')
  const wrong = await run('config')
  assert.deepEqual([wrong.code, /postrider\.json:1: there is no setting "domian"/.test(wrong.error)], [1, true])
  assert.equal((await run('start')).code, 1)
})

test('doctor without a server: findings and the DNS records of each domain', async (t) => {
  const { run } = consoleOf(t)
  const { code, out } = await run('doctor', '--no-dns')
  assert.equal(code, 0)
  assert.match(out, /WARN +server +is not running/)
  for (const record of [
    /example\.com\. +MX +10 /,
    /v=spf1/,
    /_imaps\._tcp\.example\.com\. +SRV/,
    /autodiscover\.example\.com\. +CNAME/,
    /DKIM/,
  ])
    assert.match(out, record)
  const json = JSON.parse((await run('doctor', '--no-dns', '--json')).out) as { ok: boolean; records: unknown[] }
  assert.equal(json.ok, true)
  assert.ok(json.records.length >= 10)
})

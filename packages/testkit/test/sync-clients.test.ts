import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { run, temporaryFolder } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import { testMail } from './mails.ts'

const ADDRESS = 'sync@example.com'
const PASSWORD = 'sync-password'
let server: TestServer
const folder = temporaryFolder('clients')

before(async () => {
  server = await TestServer.start()
  await server.addUser(ADDRESS, PASSWORD)
})
after(async () => {
  await server[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** Fills a new user's inbox with `count` mails; answers their ids. */
async function fill(address: string, count: number): Promise<string[]> {
  if (address !== ADDRESS) await server.addUser(address, PASSWORD)
  const imap = await ImapClient.login(server.port('imaps'), address, PASSWORD)
  const ids: string[] = []
  for (let i = 0; i < count; i++) {
    const { id, text } = testMail({ from: 'ann@outside.example', to: address, subject: `mail ${i}` })
    const answer = await imap.append('INBOX', text)
    assert.equal(answer.status, 'OK', answer.text)
    ids.push(id)
  }
  imap.close()
  return ids
}

const certificate = (): string => join(folder.path, 'cert.pem')
async function fetchCertificate(): Promise<void> {
  const { connect } = await import('node:tls')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect({ port: server.port('imaps'), host: '127.0.0.1', rejectUnauthorized: false }, () => {
    const raw = socket.getPeerCertificate().raw.toString('base64')
    writeFileSync(
      certificate(),
      `-----BEGIN CERTIFICATE-----\n${raw.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    )
    socket.destroy()
    resolve()
  })
  socket.once('error', reject)
  await promise
}

function messages(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && /\/(cur|new)$/.test(one.parentPath))
    .map((one) => readFileSync(join(one.parentPath, one.name), 'utf8'))
}

test('mbsync synchronises both ways: mails, flags, deletions', { skip: without('mbsync') }, async () => {
  await fetchCertificate()
  const ids = await fill(ADDRESS, 12)
  const home = join(folder.path, 'mbsync')
  mkdirSync(join(home, 'mail'), { recursive: true })
  const config = join(home, 'mbsyncrc')
  writeFileSync(
    config,
    `IMAPAccount a\nHost localhost\nPort ${server.port('imaps')}\nUser ${ADDRESS}\nPass ${PASSWORD}\nSSLType IMAPS\nCertificateFile ${certificate()}\n
IMAPStore far\nAccount a\n
MaildirStore near\nPath ${home}/mail/\nInbox ${home}/mail/INBOX\nSubFolders Verbatim\n
Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n`,
  )
  const sync = async () => {
    const { code, stdout, stderr } = await run('mbsync', ['-c', config, '-a'], { env: { HOME: home } })
    assert.equal(code, 0, stdout + stderr)
  }
  await sync()
  const here = messages(join(home, 'mail', 'INBOX'))
  assert.deepEqual(new Set(here.map((text) => /^Message-ID: (.*)$/m.exec(text)?.[1])), new Set(ids))

  // Here: a new mail and a deletion; there: a flag and a deletion.
  const cur = join(home, 'mail', 'INBOX', 'cur')
  const fresh = testMail({ from: ADDRESS, to: ADDRESS, subject: 'written here' })
  writeFileSync(join(home, 'mail', 'INBOX', 'new', `${Date.now()}.1.host`), fresh.text.replaceAll('\r\n', '\n'))
  const victim = readdirSync(cur)[0] ?? readdirSync(join(home, 'mail', 'INBOX', 'new'))[0]
  assert.ok(victim)
  rmSync(join(readdirSync(cur).includes(victim) ? cur : join(home, 'mail', 'INBOX', 'new'), victim))
  const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
  await imap.command('SELECT INBOX')
  await imap.command('STORE 5 +FLAGS (\\Flagged \\Seen)')
  await imap.command('STORE 6 +FLAGS (\\Deleted)')
  await imap.command('EXPUNGE')
  await sync()
  const after = messages(join(home, 'mail', 'INBOX'))
  assert.equal(after.length, 11)
  const there = await imap.command('UID SEARCH ALL')
  assert.equal((there.untagged.find((line) => line.startsWith('* SEARCH')) ?? '').split(' ').length - 2, 11)
  assert.ok(
    readdirSync(cur).some((name) => /:2,.*F/.test(name)),
    'the flag came over',
  )
  imap.close()
})

test('OfflineIMAP synchronises the mailbox', { skip: without('offlineimap') }, async () => {
  await fetchCertificate()
  const ids = await fill('offline@example.com', 5)
  const home = join(folder.path, 'offlineimap')
  mkdirSync(home, { recursive: true })
  const config = join(home, 'rc')
  writeFileSync(
    config,
    `[general]\naccounts = a\nmetadata = ${home}/meta\n[Account a]\nlocalrepository = l\nremoterepository = r\n
[Repository l]\ntype = Maildir\nlocalfolders = ${home}/mail\n
[Repository r]\ntype = IMAP\nremotehost = localhost\nremoteport = ${server.port('imaps')}\nremoteuser = offline@example.com\nremotepass = ${PASSWORD}\nssl = yes\nsslcacertfile = ${certificate()}\n`,
  )
  const { code, stdout, stderr } = await run('offlineimap', ['-c', config, '-o', '-u', 'basic'], {
    env: { HOME: home },
    timeoutMs: 120_000,
  })
  assert.equal(code, 0, stdout + stderr)
  assert.deepEqual(
    new Set(messages(join(home, 'mail')).map((text) => /^Message-ID: (.*)$/m.exec(text)?.[1])),
    new Set(ids),
  )
})

test('fetchmail fetches by POP3 and by IMAP and hands each mail over once', {
  skip: without('fetchmail'),
}, async () => {
  for (const protocol of ['pop3', 'imap'] as const) {
    const address = `fetch-${protocol}@example.com`
    const ids = await fill(address, 4)
    const home = join(folder.path, `fetchmail-${protocol}`)
    mkdirSync(home, { recursive: true })
    const config = join(home, 'rc')
    const service = protocol === 'pop3' ? server.port('pop3s') : server.port('imaps')
    writeFileSync(
      config,
      `poll 127.0.0.1 protocol ${protocol} service ${service} ${protocol === 'pop3' ? 'uidl' : ''} user "${address}" password "${PASSWORD}" ssl sslproto tls1.2+ no sslcertck keep mda "cat >> ${home}/mbox"\n`,
      { mode: 0o600 },
    )
    const fetch = () =>
      run('fetchmail', ['-f', config, '--nosyslog', '-v', '--idfile', join(home, 'ids')], { env: { HOME: home } })
    const first = await fetch()
    assert.equal(first.code, 0, first.stdout + first.stderr)
    const second = await fetch()
    assert.equal(second.code, 1, `nothing new: ${second.stdout}${second.stderr}`)
    const text = readFileSync(join(home, 'mbox'), 'utf8')
    for (const id of ids) assert.equal(text.split(id).length - 1, 1, `${protocol} ${id}`)
  }
})

test('getmail retrieves by POP3 and by IMAP', { skip: without('getmail') }, async () => {
  for (const [type, port] of [
    ['SimplePOP3SSLRetriever', server.port('pop3s')],
    ['SimpleIMAPSSLRetriever', server.port('imaps')],
  ] as const) {
    const address = `${type.toLowerCase()}@example.com`
    const ids = await fill(address, 3)
    const home = join(folder.path, type)
    for (const one of ['cur', 'new', 'tmp']) mkdirSync(join(home, 'mail', one), { recursive: true })
    // As root getmail delivers only in the name of somebody else.
    const root = process.getuid?.() === 0
    if (root) {
      chmodSync(folder.path, 0o755)
      await run('chown', ['-R', 'nobody', home])
    }
    writeFileSync(
      join(home, 'getmailrc'),
      `[retriever]\ntype = ${type}\nserver = 127.0.0.1\nport = ${port}\nusername = ${address}\npassword = ${PASSWORD}\n
[destination]\ntype = Maildir\npath = ${home}/mail/\n${root ? 'user = nobody\n' : ''}[options]\nread_all = true\n`,
    )
    const { code, stdout, stderr } = await run('getmail', ['--getmaildir', home, '--rcfile', 'getmailrc'], {
      env: { HOME: home },
    })
    assert.equal(code, 0, stdout + stderr)
    assert.deepEqual(
      new Set(messages(join(home, 'mail')).map((text) => /^Message-ID: (.*)$/m.exec(text)?.[1])),
      new Set(ids),
    )
  }
})

test('mutt opens the inbox, marks and files a mail', { skip: without('mutt') }, async () => {
  await fill('mutt@example.com', 3)
  const home = join(folder.path, 'mutt')
  mkdirSync(home, { recursive: true })
  const config = join(home, 'muttrc')
  writeFileSync(
    config,
    `set imap_user="mutt@example.com"\nset imap_pass="${PASSWORD}"\nset ssl_starttls=yes\nset ssl_verify_host=no\nset ssl_verify_dates=no\nset certificate_file="${certificate()}"\nset folder="imaps://127.0.0.1:${server.port('imaps')}"\nset spoolfile="=INBOX"\nset confirmcreate=no\nset confirmappend=no\nset delete=yes\nset quit=yes\nset move=no\nset wait_key=no\n`,
  )
  await fetchCertificate()
  // mutt wants a terminal; `script` gives it one.
  const command = `mutt -F ${config} -e 'push "<save-message>=Filed<enter><sync-mailbox><quit>"'`
  const { code, stdout, stderr } = await run('script', ['-qec', command, '/dev/null'], {
    env: { HOME: home, TERM: 'xterm' },
    timeoutMs: 40_000,
  })
  assert.equal(code, 0, stdout + stderr)
  const imap = await ImapClient.login(server.port('imaps'), 'mutt@example.com', PASSWORD)
  const filed = await imap.command('STATUS Filed (MESSAGES)')
  assert.ok(
    filed.untagged.some((line) => /MESSAGES 1\b/.test(line)),
    `${filed.text} ${filed.untagged.join('\n')}`,
  )
  const inbox = await imap.command('STATUS INBOX (MESSAGES)')
  assert.ok(inbox.untagged.some((line) => /MESSAGES 2\b/.test(line)))
  imap.close()
})

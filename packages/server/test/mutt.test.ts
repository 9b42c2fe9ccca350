/** What `postrider export` writes, opened by another program: mutt. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '@postrider/testkit/imap'
import { run, temporaryFolder } from '@postrider/testkit/process'
import { without } from '@postrider/testkit/programs'
import { TestServer } from '@postrider/testkit/server'

const bob = 'bob@example.com'
const password = 'bobs long password'
const SUBJECTS = [
  'plain',
  'a body with From at the start of a line',
  'Grüße aus Zürich',
  'flagged',
  'no newline at the end',
]

const mail = (n: number): string =>
  [
    'From: Eve <eve@example.org>',
    `To: ${bob}`,
    `Subject: =?utf-8?B?${Buffer.from(SUBJECTS[n] ?? '').toString('base64')}?=`,
    'Date: Thu, 21 Nov 2024 10:00:00 +0000',
    `Message-ID: <mutt${n}@example.org>`,
    '',
    'From the beginning',
    '>From one who quotes',
    n === 4 ? 'the end' : 'the end\r\n',
  ].join('\r\n')

/** Where an mbox or a Maildir with mails lies below a folder. */
function find(folder: string, maildir: boolean): string | undefined {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) {
      if (maildir && existsSync(join(path, 'cur')) && readdirSync(join(path, 'cur')).length > 0) return path
      const inner = find(path, maildir)
      if (inner !== undefined) return inner
    } else if (
      !maildir &&
      readFileSync(path, 'latin1').startsWith('From ') &&
      readFileSync(path, 'latin1').includes('mutt0@')
    )
      return path
  }
  return maildir && existsSync(join(folder, 'cur')) && readdirSync(join(folder, 'cur')).length > 0 ? folder : undefined
}

test('mutt opens an exported mbox and an exported Maildir, and lists all mails of it', {
  skip: without('mutt'),
}, async (t) => {
  await using server = await TestServer.start()
  await server.addUser(bob, password)
  const client = await ImapClient.login(server.port('imaps'), bob, password)
  await client.command('CREATE Kept')
  for (const n of SUBJECTS.keys()) assert.equal((await client.append('Kept', mail(n))).status, 'OK')
  await client.command('SELECT Kept')
  await client.command('STORE 4 +FLAGS (\\Flagged)')
  client.close()
  const home = temporaryFolder('mutt')
  t.after(() => home[Symbol.dispose]())
  for (const format of ['mbox', 'maildir']) {
    const target = join(home.path, format)
    const made = await server.command(['export', bob, target, '--format', format])
    assert.equal(made.code, 0, made.stdout + made.stderr)
    const kept = find(target, format === 'maildir')
    assert.ok(kept !== undefined, format)
    const list = join(home.path, `${format}.list`)
    const config = join(home.path, 'muttrc')
    writeFileSync(
      config,
      `set folder="${home.path}"\nset quit=yes\nset wait_key=no\nset pipe_decode=no\nset resolve=no\nset sort=mailbox-order\nset charset=utf-8\n`,
    )
    // From the first to the last, and two steps further: there is nothing else.
    const one = `<pipe-message>cat >> ${list}<enter><next-entry>`
    const keys = `<first-entry>${one.repeat(SUBJECTS.length + 2)}<quit>`
    const command = `mutt -n -R -F ${config} -f ${kept} -e 'push "${keys}"'`
    const { code, stdout, stderr } = await run('script', ['-qec', command, '/dev/null'], {
      env: { HOME: home.path, TERM: 'xterm', LANG: 'C.UTF-8' },
    })
    assert.equal(code, 0, stdout + stderr)
    const seen = readFileSync(list, 'utf8')
    const ids = [...seen.matchAll(/^Message-ID: <(mutt\d)@/gim)].map(([, id]) => id)
    assert.deepEqual([...new Set(ids)].sort(), ['mutt0', 'mutt1', 'mutt2', 'mutt3', 'mutt4'], format)
    assert.equal(seen.match(/^the end/gm)?.length, ids.length, `${format}: whole bodies`)
  }
})

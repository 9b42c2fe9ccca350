/**
 * Two machines in network namespaces of their own, with several client-access processes each, and a wire between them that can be cut: a client of each protocol
 * reaches its mailbox through the other machine, also while the mailbox moves, and what waits is told. Needs root and `ip netns`.
 */
import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { PlainBrowser } from '../src/browser/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import { type Args, events, JmapClient } from '../src/jmap/index.ts'
import { makeNetwork, type Network, withoutNamespaces } from '../src/network/index.ts'
import { Pop3Client } from '../src/pop3/index.ts'
import { run, temporaryFolder, until } from '../src/process/index.ts'
import { accessProcesses, TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const PASSWORD = 'namespace-password'
const INBOX = 2
const LIMIT_MS = 60_000
/** Status of Ping and of everything: [MS-ASCMD] §2.2.3.177.11, §2.2.2. */
const RINGS = 2
const OFFLINE = 114
const NODES_PORT = 2424
const main = resolve(import.meta.dirname, '..', '..', 'server', 'src', 'main.ts')
/** Lives on alpha to begin with; his brother on beta. */
const ANN = 'ann@example.com'
const BOB = 'bob@example.com'
const EVE = 'eve@outside.example'
const config = { ownerKind: 'process', accessProcesses: 2 }

suite('two machines in network namespaces', { skip: withoutNamespaces() }, () => {
  let network: Network
  let alpha: TestServer
  let beta: TestServer
  const folder = temporaryFolder('namespace-beta')
  const browsers: PlainBrowser[] = []

  async function started(at: 0 | 1, more: { readonly folder?: string } = {}): Promise<TestServer> {
    const { inside, open } = network.machines[at]
    const server = await TestServer.start({
      ...more,
      config,
      inside,
      env: { POSTRIDER_BIND: '0.0.0.0' },
      readyMs: 120_000,
    })
    for (const { port } of Object.values(server.ready.listeners)) await open(port)
    return server
  }
  before(async () => {
    network = makeNetwork()
    const [one, two] = network.machines
    alpha = await started(0)
    await ok(alpha, 'node', 'init', 'alpha', '--address', `${one.address}:${NODES_PORT}`)
    await alpha.stop()
    await alpha.restart()
    await ok(alpha, 'node', 'add', 'beta', '--address', `${two.address}:${NODES_PORT}`)
    const file = join(alpha.folder, 'node', 'beta.join')
    const joined = await run(process.execPath, [main, 'node', 'join', file], { env: { POSTRIDER_DATA: folder.path } })
    assert.equal(joined.code, 0, joined.stderr)
    beta = await started(1, { folder: folder.path })
    await alpha.addUser(ANN, PASSWORD, '--node', 'alpha')
    await alpha.addUser(BOB, PASSWORD, '--node', 'beta')
    await until(
      'each has its processes',
      () => [alpha, beta].every((one) => accessProcesses(one).length === 2),
      LIMIT_MS,
    )
  })
  after(async () => {
    for (const one of browsers) one.close()
    await Promise.all([alpha?.stop(), beta?.stop()])
    network?.[Symbol.dispose]()
    folder[Symbol.dispose]()
  })

  async function ok(server: TestServer, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await server.command(args)
    assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  async function moved(user: string, to: string): Promise<void> {
    await ok(alpha, 'mailbox', 'move', user, '--to', to)
    await until(
      `${user} has moved to ${to}`,
      async () => JSON.parse(await ok(alpha, 'mailbox', 'status', user, '--json'))[0]?.status === 'Completed',
      LIMIT_MS,
    )
  }
  const imapAt = (server: TestServer, user: string): Promise<ImapClient> =>
    until('an IMAP session', () => ImapClient.login(server.port('imaps'), user, PASSWORD), LIMIT_MS)
  async function deliver(server: TestServer, to: string, subject: string): Promise<void> {
    const client = await SmtpClient.connect(server.port('smtp'))
    await client.deliver(EVE, to, testMail({ from: EVE, to, subject }).text)
    client.close()
  }
  async function subjects(client: ImapClient, name = 'INBOX'): Promise<string[]> {
    assert.equal((await client.command(`SELECT "${name}"`)).status, 'OK')
    const { untagged } = await client.command('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
    return untagged.flatMap((line) => /Subject: (.*)/.exec(String(line))?.[1]?.trim() ?? [])
  }
  /** Waits until a mail is in somebody's inbox, as a machine shows it. */
  async function arrives(server: TestServer, user: string, subject: string): Promise<void> {
    const client = await imapAt(server, user)
    await until(`"${subject}" arrives`, async () => (await subjects(client)).includes(subject), LIMIT_MS)
    client.close()
  }
  const phoneAt = async (server: TestServer, user: string, deviceId: string): Promise<[Phone, string]> => {
    const settings = {
      port: server.port('https'),
      tls: true,
      user,
      password: PASSWORD,
      deviceId,
      deviceType: 'TestPhone',
    }
    const phone = new Phone(settings)
    await phone.provision()
    await phone.folderSync()
    const inbox = phone.folderOfType(INBOX)
    await phone.syncAll(inbox)
    return [phone, inbox]
  }
  const jmapAt = (server: TestServer, user: string): Promise<JmapClient> =>
    new JmapClient({ port: server.port('https'), tls: true, user, password: PASSWORD }).connect()

  /** Everybody speaks to the machine on which his mailbox does not live. */
  const crossed = (): readonly (readonly [user: string, other: string, through: TestServer, home: TestServer])[] => [
    [ANN, BOB, beta, alpha],
    [BOB, ANN, alpha, beta],
  ]

  test('POP3 through the other machine: list, read, delete', async () => {
    for (const [user, , through, home] of crossed()) {
      for (const subject of ['stays', 'goes']) await deliver(through, user, `pop ${subject}`)
      const client = await Pop3Client.login(through.port('pop3s'), user, PASSWORD)
      const list = await client.lines('UIDL')
      assert.equal(list.length, 2)
      assert.ok((await client.lines('RETR 1')).includes('Subject: pop stays'))
      assert.match(await client.command('DELE 2'), /^\+OK/)
      await client.quit()
      const again = await Pop3Client.login(home.port('pop3s'), user, PASSWORD)
      assert.deepEqual(await again.lines('UIDL'), list.slice(0, 1), 'the same ids at home')
      await again.quit()
    }
  })

  test('submission through the other machine, to the brother: there once, and kept by who sends by a phone', async () => {
    for (const [user, other, through, home] of crossed()) {
      const subject = `submitted by ${user}`
      for (const [port, tls] of [
        ['submissions', true],
        ['submission', false],
      ] as const) {
        const client = await SmtpClient.connect(through.port(port), { tls })
        if (!tls) await client.startTls()
        await client.login(user, PASSWORD)
        await client.deliver(user, other, testMail({ from: user, to: other, subject: `${subject} ${port}` }).text)
        client.close()
        await arrives(home, other, `${subject} ${port}`)
      }
      const [phone] = await phoneAt(through, user, `SUBMIT${user.length}${user.slice(0, 3)}`)
      const sent = await phone.sendMail(
        testMail({ from: user, to: other, subject: `${subject} phone` }).text,
        'client-1',
      )
      assert.deepEqual([sent.http, sent.document], [200, undefined])
      await arrives(through, other, `${subject} phone`)
      const client = await imapAt(home, user)
      assert.ok((await subjects(client, 'Sent Items')).includes(`${subject} phone`))
      client.close()
    }
  })

  test('ActiveSync through the other machine: a held Ping rings, whichever machine the mail comes to', async () => {
    for (const [user, , through, home] of crossed()) {
      const [phone, inbox] = await phoneAt(through, user, `PING${user.slice(0, 3)}`)
      for (const server of [through, home]) {
        const ping = phone.ping(480, [inbox])
        await deliver(server, user, `rings through ${server === home ? 'home' : 'away'}`)
        assert.equal((await ping).status, 2)
        await phone.syncAll(inbox)
      }
      assert.ok(phone.mirror.bySubject(inbox, 'rings through home'))
    }
  })

  test('JMAP through the other machine: an upload, a draft that is sent, changes pushed', async () => {
    for (const [user, other, through, home] of crossed()) {
      const jmap = await jmapAt(through, user)
      const pushed = events(await jmap.open('GET', '/jmap/events?types=EmailDelivery&closeafter=state&ping=0'))
      const first = pushed.next()
      const { list: folders } = await jmap.call('Mailbox/get')
      const role = (wanted: string): string => folders.find((one: Args) => one.role === wanted).id
      const identityId = (await jmap.call('Identity/get')).list[0].id
      const { blobId } = await jmap.upload(Buffer.alloc(100_000, 7), 'application/x-thing')
      const subject = `composed by ${user}`
      const answers = await jmap.request([
        [
          'Email/set',
          {
            accountId: jmap.account,
            create: {
              m: {
                mailboxIds: { [role('drafts')]: true },
                from: [{ email: user }],
                to: [{ email: other }, { email: user }],
                subject,
                bodyValues: { t: { value: 'Look.' } },
                textBody: [{ partId: 't', type: 'text/plain' }],
                attachments: [{ blobId, type: 'application/x-thing', name: 'thing.bin' }],
              },
            },
          },
          '0',
        ],
        [
          'EmailSubmission/set',
          {
            accountId: jmap.account,
            create: { s: { identityId, emailId: '#m' } },
            onSuccessUpdateEmail: {
              '#s': { [`mailboxIds/${role('drafts')}`]: null, [`mailboxIds/${role('sent')}`]: true },
            },
          },
          '1',
        ],
      ])
      assert.ok(answers[1]?.[1].created?.s, JSON.stringify(answers))
      await arrives(home, other, subject)
      await arrives(through, user, subject)
      assert.equal((await first).value?.event, 'state')
      const { ids } = await (await jmapAt(home, user)).call('Email/query', {
        filter: { subject, inMailbox: role('sent') },
      })
      assert.equal((ids as string[]).length, 1)
    }
  })

  test('the web client and its Light version through the other machine: signing in, sending, acting, signing out', async () => {
    for (const [user, other, through] of crossed()) {
      const browser = new PlainBrowser(through.port('https'))
      browsers.push(browser)
      const page = await browser.signIn(user, PASSWORD, { light: '1' })
      assert.match(page.url, /^\/light\/folder\//, page.text)
      await browser.open('/light/compose')
      const subject = `written in Light by ${user}`
      const sent = await browser.submit(
        (form) => form.action.startsWith('/light/compose'),
        { to: other, subject, text: 'Hello.' },
        ['act', 'send'],
      )
      assert.match(sent.text, /Sent\./)
      // It can be taken back for ten seconds, and then leaves from where the directory is.
      if (through === beta) await arrives(through, other, subject)
      await browser.open(page.url)
      const read = await browser.submit((form) => form.action.startsWith('/light/list'), { whole: '1' }, [
        'act',
        'read',
      ])
      assert.match(read.text, /Done: \d+ message/)
      const script = new PlainBrowser(through.port('https'))
      script.scripts = true
      browsers.push(script)
      await script.signIn(user, PASSWORD)
      const session = await script.send('GET', '/web/session')
      assert.equal(session.status, 200, session.text)
      // Several processes there: each knows the session, kept-open connection or not.
      for (let n = 0; n < 6; n++) {
        const fresh = new PlainBrowser(through.port('https'))
        browsers.push(fresh)
        for (const [name, value] of script.cookies) fresh.cookies.set(name, value)
        assert.equal((await fresh.send('GET', '/web/session')).status, 200)
      }
    }
  })

  test('a mailbox moves to the other machine and back while in use: IDLE, Ping and push ring, POP3 and web sessions go on', async () => {
    const browser = new PlainBrowser(beta.port('https'))
    browsers.push(browser)
    const { url } = await browser.signIn(ANN, PASSWORD, { light: '1' })
    const phones = [await phoneAt(alpha, ANN, 'MOVEA'), await phoneAt(beta, ANN, 'MOVEB')]
    for (const [turn, to] of ['beta', 'mailboxes-1'].entries()) {
      const subject = `after move ${turn}`
      const clients = [await imapAt(alpha, ANN), await imapAt(beta, ANN)]
      const idles = []
      for (const client of clients) {
        await client.command('SELECT INBOX')
        idles.push(await client.idle())
      }
      const pings = phones.map(([phone, inbox]) => phone.ping(480, [inbox]))
      const pushes = []
      for (const server of [alpha, beta]) {
        const jmap = await jmapAt(server, ANN)
        const stream = await jmap.open('GET', '/jmap/events?types=EmailDelivery&closeafter=state&ping=0')
        pushes.push(events(stream).next())
      }
      const pop = await Pop3Client.login((turn === 0 ? alpha : beta).port('pop3s'), ANN, PASSWORD)
      let using = true
      const move = moved(ANN, to).finally(() => {
        using = false
      })
      const [during] = await Promise.all([inUse(() => using), move])
      await deliver(turn === 0 ? alpha : beta, ANN, subject)
      for (const idle of idles) await idle.wait(/EXISTS/, LIMIT_MS)
      for (const ping of pings) assert.equal((await ping).status, 2)
      for (const push of pushes) assert.equal((await push).value?.event, 'state')
      for (const idle of idles) await idle.stop()
      assert.match(await pop.command('RETR 1'), /^\+OK/)
      await pop.quit()
      for (const [phone, inbox] of phones) {
        await phone.syncAll(inbox)
        assert.ok(phone.mirror.bySubject(inbox, subject))
      }
      assert.match((await browser.open(url)).text, new RegExp(subject))
      for (const client of clients) {
        assert.equal((await client.command('NOOP')).status, 'OK')
        const there = await subjects(client)
        assert.ok(there.includes(subject))
        for (const one of during) assert.equal(there.filter((each) => each === one).length, 1, `${one}, once`)
        client.close()
      }
    }
  })

  /** Mail for Ann through both machines, in turn, until it is enough. Answers what was acknowledged; nothing may be refused. */
  async function inUse(goesOn: () => boolean): Promise<string[]> {
    const said: string[] = []
    const clients = []
    for (const server of [alpha, beta]) clients.push(await SmtpClient.connect(server.port('smtp')))
    while (goesOn()) {
      for (const client of clients) {
        const subject = `during ${crypto.randomUUID()}`
        await client.deliver(EVE, ANN, testMail({ from: EVE, to: ANN, subject }).text)
        said.push(subject)
      }
    }
    for (const client of clients) client.close()
    return said
  }

  test('the wire between the machines is cut without a word: no wrong answer, an end to waiting, and all goes on afterwards', async () => {
    const client = await imapAt(beta, ANN)
    await client.command('SELECT INBOX')
    const idle = await client.idle()
    const [phone, inbox] = await phoneAt(beta, ANN, 'WIRE')
    const ping = phone.ping(480, [inbox])
    network.wire(false)
    try {
      // Her mailbox is out of reach; mail for her is refused for now, or waits until it is not.
      const asked = deliver(beta, ANN, 'cut').then(
        () => 'taken' as const,
        (error: unknown) => String(error),
      )
      assert.match(await asked, /\b4\d\d\b/)
      // Who lives here notices nothing.
      await deliver(beta, BOB, 'beside the cut')
      await arrives(beta, BOB, 'beside the cut')
    } finally {
      network.wire(true)
    }
    await until('mail for her is taken again', () => deliver(beta, ANN, 'whole again').then(() => true), LIMIT_MS)
    await idle.wait(/EXISTS/, LIMIT_MS)
    // A phone may be told that its mailbox is out of reach; it asks again.
    const { status } = await ping
    assert.ok([RINGS, OFFLINE].includes(status ?? 0), String(status))
    await until('the Ping rings', async () => (await phone.ping(480, [inbox])).status === RINGS, LIMIT_MS)
    client.close()
    await arrives(beta, ANN, 'whole again')
  })
})

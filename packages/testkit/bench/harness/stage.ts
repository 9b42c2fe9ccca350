import {
  type Peer,
  type PostfixPeer,
  type SogoPeer,
  startDovecot,
  startPostfix,
  startSogo,
} from '../../src/peers/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { testMail } from '../../test/mails.ts'
import { addUser } from './control.ts'
import { type How, RawImap } from './raw-imap.ts'
import { each, type Scale } from './scenario.ts'

export const PASSWORD = 'bench-password'
/** Who has the large folder. */
export const USER = 'bench'
export const DOMAIN = 'example.com'
/** One in so many mails holds the rare word. */
export const RARE_WORD = 'xylophone'
const RARE_EVERY = 997
const BATCH = 100
const CLOSE_MS = 20_000

/** A server as a client of a benchmark sees it. */
export interface Subject {
  readonly name: string
  readonly pid: number
  readonly folder: string
  port(tls: boolean): number
  login(user?: string, how?: How): Promise<RawImap>
  restart(): Promise<void>
}

/** Everything scenarios share, started when first asked for and ended together. Nothing outlives `close`. */
export class Stage {
  readonly scale: Scale
  readonly #closers: (() => Promise<void>)[] = []
  readonly #parts = new Map<string, Promise<unknown>>()
  #closed = false

  constructor(scale: Scale) {
    this.scale = scale
  }

  /** `full`, or with `--quick` the small number. */
  size(full: number, quick: number): number {
    return this.scale.quick ? quick : full
  }
  /** Whether this part of the row is to be measured. */
  wants(part: string): boolean {
    return this.scale.parts === undefined || this.scale.parts.includes(part)
  }
  get runs(): number {
    return this.scale.runs
  }
  get mails(): number {
    return this.size(10_000, 300)
  }

  #once<T>(name: string, make: () => Promise<T>): Promise<T> {
    let part = this.#parts.get(name) as Promise<T> | undefined
    if (part === undefined) {
      part = make()
      this.#parts.set(name, part)
    }
    return part
  }

  /** Something a scenario started for itself; ended with all. */
  async keep<T extends AsyncDisposable>(made: Promise<T>): Promise<T> {
    const thing = await made
    if (this.#closed) {
      await thing[Symbol.asyncDispose]()
      throw new Error('the benchmark was ended')
    }
    this.#closers.push(() => Promise.resolve(thing[Symbol.asyncDispose]()))
    return thing
  }

  /** A server of ours for one scenario; ended by it, or at the end. */
  async server(mailboxes: readonly string[] = []): Promise<TestServer> {
    const server = await this.keep(
      TestServer.start({
        config: { imap: { connectionsPerUser: 10_000 }, limits: { connectionsPerAddress: 20_000 } },
      }),
    )
    await each(mailboxes.length, 4, (i) => addUser(server, `${mailboxes[i]}@${DOMAIN}`, PASSWORD))
    return server
  }

  postfix(keeps: 'nowhere' | { readonly lmtpPort: number }): Promise<PostfixPeer> {
    return this.keep(startPostfix({}, keeps))
  }

  sogo(mail: Peer, users: readonly string[]): Promise<SogoPeer> {
    return this.keep(startSogo(mail, users, PASSWORD))
  }

  #dovecot(format: 'mdbox' | 'maildir'): Promise<Peer> {
    return this.#once(format, () => this.keep(startDovecot(format)))
  }
  get mdbox(): Promise<Peer> {
    return this.#dovecot('mdbox')
  }
  get maildir(): Promise<Peer> {
    return this.#dovecot('maildir')
  }

  /** The shared server of ours: `bench` and twenty more mailboxes. */
  get ours(): Promise<TestServer> {
    return this.#once('ours', () => this.server([USER, ...boxes(20)]))
  }

  /** A server of ours with many mailboxes, `box0` and on; the addresses. */
  get crowd(): Promise<{ readonly server: TestServer; readonly boxes: readonly string[] }> {
    return this.#once('crowd', async () => {
      const names = boxes(this.size(1_000, 20))
      return { server: await this.server(names), boxes: names }
    })
  }

  /** Ours, Dovecot as mdbox and as maildir. */
  get subjects(): Promise<readonly Subject[]> {
    return this.#once('subjects', async () => [
      ourSubject(await this.ours),
      peerSubject('Dovecot mdbox', await this.mdbox),
      peerSubject('Dovecot maildir', await this.maildir),
    ])
  }

  /** The same, each with the large folder as INBOX of `bench`. */
  get filled(): Promise<readonly Subject[]> {
    return this.#once('filled', async () => {
      const subjects = await this.subjects
      for (const subject of subjects) {
        const imap = await subject.login()
        await fill(imap, 'INBOX', this.mails)
        await settle(imap)
        imap.close()
      }
      return subjects
    })
  }

  /** Ends everything, the last first; what does not end by itself within its time is left to the end of the process, which kills. */
  async close(): Promise<void> {
    this.#closed = true
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, CLOSE_MS)
      await Promise.race([close(), late]).catch((error: unknown) => console.error(String(error)))
      clearTimeout(timer)
    }
  }
}

export const boxes = (count: number): string[] => Array.from({ length: count }, (_, i) => `box${i}`)

export function ourSubject(server: TestServer): Subject {
  return {
    name: 'Postrider',
    get pid() {
      return server.pid
    },
    folder: server.folder,
    port: (tls) => server.port(tls ? 'imaps' : 'imap'),
    login: (user = USER, how = 'X25519') =>
      RawImap.login(server.port(how === 'plain' ? 'imap' : 'imaps'), `${user}@${DOMAIN}`, PASSWORD, how),
    restart: async () => {
      await server.stop()
      await server.restart()
    },
  }
}

function peerSubject(name: string, peer: Peer): Subject {
  return {
    name,
    get pid() {
      return peer.pid
    },
    folder: peer.folder,
    port: (tls) => (tls ? peer.tlsPort : peer.port),
    login: (user = USER, how = 'X25519') =>
      RawImap.login(how === 'plain' ? peer.port : peer.tlsPort, user, PASSWORD, how),
    restart: () => peer.restart(),
  }
}

/** Mail number `i`: 3.2 KB, some answers to others, a rare word in a few. */
export function mailNumber(i: number, bytes = 3_200): Buffer {
  const { text } = testMail({
    from: `writer${i % 50}@outside.example`,
    to: `${USER}@${DOMAIN}`,
    subject: `${i % 3 === 0 ? '' : 'Re: '}report ${Math.floor(i / 3)} of the season`,
    bytes,
    id: `<${i}@outside.example>`,
  })
  const first = i - (i % 3)
  const thread =
    i === first ? '' : `References: <${first}@outside.example>\r\nIn-Reply-To: <${first}@outside.example>\r\n`
  return Buffer.from(`${thread}${text}${i % RARE_EVERY === 0 ? `the ${RARE_WORD} is out of tune\r\n` : ''}`)
}

/** MULTIAPPEND of several mails: the part of the command behind the folder's name, and what follows its line. */
export function multiAppend(mails: readonly Buffer[], flags: (i: number) => string = () => ''): [string, Buffer] {
  const heads = mails.map((mail, i) => `(${flags(i)}) {${mail.length}+}`)
  const rest = mails.flatMap((mail, i) => (i === 0 ? [mail] : [Buffer.from(` ${heads[i]}\r\n`), mail]))
  return [heads[0] ?? '', Buffer.concat([...rest, Buffer.from('\r\n')])]
}

export async function fill(imap: RawImap, folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += BATCH) {
    const mails = Array.from({ length: Math.min(BATCH, count - i) }, (_, k) => mailNumber(i + k))
    const [head, rest] = multiAppend(mails, (k) => (k % 2 === 0 ? '\\Seen' : ''))
    await imap.command(`APPEND ${folder} ${head}`, rest)
  }
}

/** Waits until what is done behind the answers (search index, Dovecot's cache) is done: the second search finds all. */
async function settle(imap: RawImap): Promise<void> {
  await imap.command('SELECT INBOX')
  await imap.command('UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)')
  await imap.command(`SEARCH TEXT ${RARE_WORD}`)
}

import { type CorpusMail, corpus } from '../corpus/index.ts'
import { ImapClient } from '../imap/index.ts'
import { type Peer, startDovecot } from '../peers/index.ts'
import { TestServer } from '../server/index.ts'
import { type Canonical, canonical } from './canonical.ts'

const ADDRESS = 'judge@example.com'
const PASSWORD = 'judge-password'

/** One of the two servers, as the comparison talks to it. */
export class Side {
  readonly name: 'ours' | 'theirs'
  readonly #login: () => Promise<ImapClient>
  readonly #clients = new Map<string, ImapClient>()
  /** What `$name` stands for in commands: the server's own numbers. */
  readonly #values = new Map<string, string>()

  constructor(name: 'ours' | 'theirs', login: () => Promise<ImapClient>) {
    this.name = name
    this.#login = login
  }

  /** The named client, logged in when it is first named. */
  async client(id: string): Promise<ImapClient> {
    const known = this.#clients.get(id)
    if (known !== undefined) return known
    const fresh = await this.#login()
    this.#clients.set(id, fresh)
    return fresh
  }

  /** Ends all clients, so that the next flow starts with fresh ones. */
  async forget(): Promise<void> {
    for (const client of this.#clients.values()) {
      await client.command('LOGOUT').catch(() => undefined) // it may have been told BYE already
      client.close()
    }
    this.#clients.clear()
    this.#values.clear()
  }

  /** Sends a command with its variables filled in; answers in canonical form. `$modseq` and `$validity` are kept as they pass by. */
  async ask(id: string, command: string, literal?: Buffer): Promise<Canonical> {
    const client = await this.client(id)
    const filled = command.replace(/\$([a-z]\w*)/g, (whole, name: string) => this.#values.get(name) ?? whole)
    const answer = await client.command(filled, literal, 60_000)
    for (const line of [...answer.untagged, answer.text]) this.#keep(line)
    return canonical(`${answer.status} ${answer.text}`, answer.untagged, shown)
  }

  #keep(line: string): void {
    const validity = /\[UIDVALIDITY (\d+)\]/.exec(line)?.[1]
    const modSeq = /\[HIGHESTMODSEQ (\d+)\]|HIGHESTMODSEQ (\d+)/.exec(line)
    if (validity !== undefined) this.#values.set('validity', validity)
    if (modSeq !== null) this.#values.set('modseq', modSeq[1] ?? modSeq[2] ?? '')
  }

  /** Keeps the present `$modseq` under another name. */
  mark(name: string): void {
    this.#values.set(name, this.#values.get('modseq') ?? '1')
  }
}

/** Folders the servers have of themselves are no part of the comparison. */
const shown = (name: string): boolean => name === 'INBOX' || name === '' || /^T\d*(\/|$)/i.test(name)

/** Both servers, and the corpus in a mailbox of each. */
export interface Pair {
  readonly ours: Side
  readonly theirs: Side
  readonly mails: readonly CorpusMail[]
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts the real program and a real Dovecot and fills `T/corpus` of both by APPEND. */
export async function startPair(): Promise<Pair> {
  const server = await TestServer.start()
  let dovecot: Peer | undefined
  try {
    await server.addUser(ADDRESS, PASSWORD)
    dovecot = await startDovecot('mdbox')
    const { port } = dovecot
    const ours = new Side('ours', () => ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD))
    const theirs = new Side('theirs', async () => {
      const client = await ImapClient.connect(port, { tls: false })
      await client.command('LOGIN judge x')
      return client
    })
    const mails = corpus()
    await Promise.all([fill(ours, mails), fill(theirs, mails)])
    return {
      ours,
      theirs,
      mails,
      async [Symbol.asyncDispose]() {
        await Promise.all([ours.forget(), theirs.forget()])
        await dovecot?.[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await dovecot?.[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    throw error
  }
}

async function fill(side: Side, mails: readonly CorpusMail[]): Promise<void> {
  const client = await side.client('fill')
  await client.command('CREATE T/corpus')
  for (const { name, bytes, flags, date } of mails) {
    const { status, text } = await client.command(`APPEND T/corpus (${flags}) "${date}" {${bytes.length}}`, bytes)
    if (status !== 'OK') throw new Error(`${side.name} refuses ${name}: ${text}`)
  }
}

/**
 * FETCH 1:* (FLAGS) of 10,000 mails, ours against Dovecot (mdbox and maildir, `mail_fsync=always`) in the same run, interleaved, all
 * through TLS; also SELECT and the other fetches of a folder opened: `node packages/testkit/bench/imap-flags.bench.ts`.
 */
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startDovecot } from '../src/peers/index.ts'
import { TestServer } from '../src/server/index.ts'
import { testMail } from '../test/mails.ts'
import { median, type Row, table } from './figures.ts'

const MAILS = Number(process.env.MAILS ?? 10_000)
const ROUNDS = Number(process.env.ROUNDS ?? 9)

/** Sends a command and only looks for the tagged line at the end: the client must cost nothing. */
class RawImap {
  readonly #socket: Socket
  #tail = ''
  #bytes = 0
  #wanted = ''
  #done: ((bytes: number) => void) | undefined
  #tag = 0
  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      this.#tail = (this.#tail + chunk.subarray(Math.max(0, chunk.length - 2_000)).toString('latin1')).slice(-2_000)
      if (
        this.#wanted !== '' &&
        (this.#tail.includes(this.#wanted) || (this.#wanted === '+' && this.#tail.includes('+ ')))
      ) {
        const done = this.#done
        this.#wanted = ''
        this.#done = undefined
        done?.(this.#bytes)
      }
    })
  }
  wait(text: string): Promise<number> {
    return new Promise((resolve) => {
      this.#wanted = text
      this.#done = resolve
    })
  }
  async command(text: string, more?: Buffer): Promise<{ ms: number; bytes: number }> {
    const tag = `T${++this.#tag}`
    this.#bytes = 0
    this.#tail = ''
    const began = performance.now()
    const answer = this.wait(`${tag} OK`)
    this.#socket.write(`${tag} ${text}\r\n`)
    if (more !== undefined) this.#socket.write(more)
    const bytes = await answer
    return { ms: performance.now() - began, bytes }
  }
  close(): void {
    this.#socket.destroy()
  }
}

const greeted = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('data', () => resolve()))
async function open(port: number, user: string, password: string): Promise<RawImap> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await greeted(socket)
  const imap = new RawImap(socket)
  await imap.command(`LOGIN ${user} ${password}`)
  return imap
}

async function fill(imap: RawImap): Promise<void> {
  const BATCH = 100
  for (let i = 0; i < MAILS; i += BATCH) {
    const parts: Buffer[] = []
    let first = ''
    for (let k = 0; k < BATCH; k++) {
      const text = Buffer.from(
        testMail({ from: 'ann@outside.example', to: 'bench@example.com', subject: `bench ${i + k}`, bytes: 3_200 })
          .text,
      )
      const head = `${k % 2 === 0 ? '(\\Seen) ' : '() '}{${text.length}+}`
      if (k === 0) first = head
      else parts.push(Buffer.from(` ${head}`))
      if (k === 0) parts.push(text)
      else parts.push(Buffer.from('\r\n'), text)
    }
    parts.push(Buffer.from('\r\n'))
    await imap.command(`APPEND INBOX ${first}`, Buffer.concat(parts))
  }
}

const server = await TestServer.start()
await server.addUser('bench@example.com', 'bench-password')
const mdbox = await startDovecot('mdbox')
const maildir = await startDovecot('maildir')
try {
  const subjects: { name: string; make: () => Promise<RawImap> }[] = [
    { name: 'Postrider', make: () => open(server.port('imaps'), 'bench@example.com', 'bench-password') },
    { name: 'Dovecot mdbox', make: () => open(mdbox.tlsPort, 'bench', 'x') },
    { name: 'Dovecot maildir', make: () => open(maildir.tlsPort, 'bench', 'x') },
  ]
  for (const { name, make } of subjects) {
    const imap = await make()
    const began = performance.now()
    await fill(imap)
    console.log(`${name}: ${MAILS} appended in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
    imap.close()
  }
  const commands = [
    'SELECT INBOX',
    'FETCH 1:* (FLAGS)',
    'FETCH 1:* (UID FLAGS)',
    'FETCH 1:* (ENVELOPE)',
    'FETCH 1:* (BODYSTRUCTURE)',
    'UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])',
  ]
  const times = new Map<string, number[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const { name, make } of subjects) {
      const imap = await make()
      for (const command of commands) {
        const { ms } = await imap.command(command)
        const key = `${command}\t${name}`
        times.set(key, [...(times.get(key) ?? []), ms])
      }
      imap.close()
    }
  const rows: Row[] = commands.map((command) => {
    const of = (name: string): number => median(times.get(`${command}\t${name}`) ?? [])
    const ours = of('Postrider')
    const [a, b] = [of('Dovecot mdbox'), of('Dovecot maildir')]
    return {
      what: `${command.slice(0, 60)}, ${MAILS} mails, ms`,
      ours: ours.toFixed(1),
      peer: `${a.toFixed(1)} / ${b.toFixed(1)}`,
      ratio: (ours / Math.min(a, b)).toFixed(2),
    }
  })
  table('IMAP against Dovecot (mdbox / maildir), all through TLS, medians', rows)
} finally {
  await server[Symbol.asyncDispose]()
  await mdbox[Symbol.asyncDispose]()
  await maildir[Symbol.asyncDispose]()
}

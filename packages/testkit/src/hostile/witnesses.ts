/**
 * Those who did nothing wrong: an IMAP session, a phone's held Ping and an SMTP session, opened before the attack. And what the server
 * says about itself meanwhile: memory, stalls of its loops (operations/stalls.ts logs those over half a second), errors in its log.
 */
import { readFileSync } from 'node:fs'
import { Phone, type Rung } from '../activesync/index.ts'
import { ImapClient } from '../imap/index.ts'
import type { TestServer } from '../server/index.ts'
import { SmtpClient } from '../smtp/index.ts'

/** Within this time every well-behaved client must have its answer, ms. */
const ANSWER_MS = 5_000

const INBOX = 2

/** Rejects when it takes longer than `ms`. */
async function within<T>(what: string, ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}

export class Witnesses {
  readonly #imap: ImapClient
  readonly #smtp: SmtpClient
  readonly #phone: Phone
  readonly #address: string
  #ping: Promise<Rung>
  #rung: Rung | Error | undefined
  #looks: Promise<unknown> = Promise.resolve()

  private constructor(imap: ImapClient, smtp: SmtpClient, phone: Phone, address: string) {
    this.#imap = imap
    this.#smtp = smtp
    this.#phone = phone
    this.#address = address
    this.#ping = this.#hold()
  }

  static async open(server: TestServer, address: string, password: string): Promise<Witnesses> {
    const imap = await ImapClient.login(server.port('imaps'), address, password)
    await imap.command('SELECT INBOX')
    const smtp = await SmtpClient.connect(server.port('smtp'))
    const phone = new Phone({ port: server.port('https'), tls: true, user: address, password, deviceId: 'WITNESS1' })
    await phone.provision()
    await phone.folderSync()
    await phone.syncAll(phone.folderOfType(INBOX))
    return new Witnesses(imap, smtp, phone, address)
  }

  #hold(): Promise<Rung> {
    this.#rung = undefined
    const ping = this.#phone.ping(900, [this.#phone.folderOfType(INBOX)])
    ping.then(
      (rung) => {
        this.#rung = rung
      },
      (error: unknown) => {
        this.#rung = error instanceof Error ? error : new Error(String(error))
      },
    )
    return ping
  }

  /** Everybody is still there and is answered in time. One look after the other: each session waits for one answer. */
  alive(): Promise<void> {
    const look = this.#looks.then(() => this.#look())
    this.#looks = look.catch(() => {})
    return look
  }
  async #look(): Promise<void> {
    const answer = await within('IMAP NOOP', ANSWER_MS, this.#imap.command('NOOP'))
    if (answer.status !== 'OK') throw new Error(`IMAP: ${answer.text}`)
    await within('SMTP NOOP', ANSWER_MS, this.#smtp.command('NOOP', 250))
    if (this.#rung !== undefined)
      throw new Error(`the held Ping ended: ${JSON.stringify(this.#rung)}`, { cause: this.#rung })
  }

  /** A mail to the witness arrives: the held Ping rings, IMAP sees it, in time. Then the Ping is held again. */
  async useful(): Promise<void> {
    await this.alive()
    const before = await this.#exists()
    const text = `From: <ann@outside.example>\r\nTo: <${this.#address}>\r\nSubject: proof of life\r\n\r\nAlive.\r\n`
    await within('delivery', ANSWER_MS, this.#smtp.deliver('ann@outside.example', this.#address, text))
    const rung = await within('the held Ping rings', ANSWER_MS, this.#ping)
    if (rung.status !== 2) throw new Error(`Ping status ${rung.status}`)
    const after = await within('IMAP sees the mail', ANSWER_MS, this.#exists())
    if (after !== before + 1) throw new Error(`IMAP: ${before} mails before, ${after} after`)
    await this.#phone.syncAll(this.#phone.folderOfType(INBOX))
    this.#ping = this.#hold()
  }
  async #exists(): Promise<number> {
    const { untagged } = await this.#imap.command('STATUS INBOX (MESSAGES)')
    return Number(/MESSAGES (\d+)/.exec(untagged.join('\n'))?.[1])
  }

  close(): void {
    this.#imap.close()
    this.#smtp.close()
    this.#ping.catch(() => {})
  }
}

/** Resident memory of the server now, bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** The highest resident memory seen while `work` runs, bytes; looked at every 50 ms. */
export async function peakBytes<T>(pid: number, work: () => Promise<T>): Promise<{ peak: number; result: T }> {
  let peak = residentBytes(pid)
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid))
  }, 50)
  try {
    const result = await work()
    return { peak: Math.max(peak, residentBytes(pid)), result }
  } finally {
    clearInterval(timer)
  }
}

/** Lines of the log that say error, or that show an exception nobody caught. */
export function errorsOf(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => /"level":(?:50|60)\b|Internal error|[Uu]nhandled|[Uu]ncaught|^\s+at .*\.ts:/.test(line))
}

/** The stalls of event loops that the log tells of, ms. */
export function stallsOf(output: string): number[] {
  return [...output.matchAll(/^.*"ms":(\d+).*the event loop stood still.*$/gm)].map((line) => Number(line[1]))
}

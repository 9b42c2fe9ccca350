/**
 * An IMAP client that believes what it is told and checks that it may be told so. In: commands. Out: its picture of the selected mailbox, from untagged
 * answers alone. Invariant: a number always names the message the client thinks it names (RFC 9051 §7.5.1); a breach throws with the last lines.
 */
import assert from 'node:assert/strict'
import type { ImapAnswer, ImapClient } from '../imap/index.ts'

/** A message as the client knows it; unknown until it was told. */
interface Known {
  uid: number | undefined
  flags: string | undefined
  modSeq: number
}

/** What a client keeps of a mailbox when it disconnects: RFC 7162 §3.2.5. */
interface Cache {
  readonly validity: string
  readonly modSeq: number
  readonly messages: readonly Known[]
}

/** What is enabled in a session. */
export type Extension = '' | 'CONDSTORE' | 'QRESYNC' | 'IMAP4rev2'

const LOG = 30
const NO_EXPUNGE = /^(FETCH|STORE|SEARCH|SORT|THREAD|COPY) /i

/** Flags in one order; \Recent is no news. */
function order(flags: string): string {
  return flags
    .split(' ')
    .filter((flag) => flag !== '' && flag !== '\\Recent')
    .sort()
    .join(' ')
}

/** `1,3:5` as numbers. */
function expand(set: string): number[] {
  return set.split(',').flatMap((range) => {
    const [low = 0, high = low] = range.split(':').map(Number)
    return Array.from({ length: Math.abs(high - low) + 1 }, (_, i) => Math.min(low, high) + i)
  })
}

export class Tracker {
  readonly name: string
  readonly #connect: () => Promise<ImapClient>
  readonly #extension: Extension
  readonly #log: string[] = []
  readonly #caches = new Map<string, Cache>()
  #client: ImapClient | undefined
  #mailbox = ''
  #validity = ''
  #highest = 0
  #messages: Known[] = []

  constructor(name: string, extension: Extension, connect: () => Promise<ImapClient>) {
    this.name = name
    this.#extension = extension
    this.#connect = connect
  }

  get count(): number {
    return this.#messages.length
  }

  /** UIDs and flags of the picture, as lines. */
  get picture(): string[] {
    return this.#messages.map(({ uid, flags }) => `${uid} (${flags})`)
  }

  #check(holds: boolean, what: string): asserts holds {
    assert.ok(holds, `${what}\n${this.name}: ${this.#log.slice(-LOG).join('\n')}`)
  }

  get #session(): ImapClient {
    assert.ok(this.#client !== undefined, 'not connected')
    return this.#client
  }

  /**
   * Connects and opens the mailbox, with what is left of an earlier visit when the extension allows it. `quiet`: nobody else writes, so that
   * nothing may be missing in the answer.
   */
  async open(mailbox: string, quiet = false): Promise<void> {
    if (this.#client === undefined) {
      this.#client = await this.#connect()
      if (this.#extension !== '') await this.#run(`ENABLE ${this.#extension}`)
    }
    this.#keep()
    const cache = this.#caches.get(mailbox)
    this.#mailbox = mailbox
    this.#messages = []
    const resumed = this.#extension === 'QRESYNC' && cache !== undefined
    await this.#select(mailbox, resumed ? cache : undefined, quiet)
    if (!resumed) await this.#run('FETCH 1:* (UID FLAGS)')
    await this.settle()
  }

  async #select(mailbox: string, cache: Cache | undefined, quiet: boolean): Promise<void> {
    const command = cache ? `SELECT ${mailbox} (QRESYNC (${cache.validity} ${cache.modSeq}))` : `SELECT ${mailbox}`
    this.#log.push(`> ${command}`)
    const { status, untagged } = await this.#session.command(command)
    assert.equal(status, 'OK', command)
    const closed = untagged.findIndex((line) => line.startsWith('* OK [CLOSED]'))
    const lines = untagged.slice(closed + 1)
    for (const line of lines) this.#log.push(line)
    this.#validity = /UIDVALIDITY (\d+)/.exec(lines.join('\n'))?.[1] ?? ''
    this.#highest = Number(/HIGHESTMODSEQ (\d+)/.exec(lines.join('\n'))?.[1])
    const exists = Number(/^\* (\d+) EXISTS$/m.exec(lines.join('\n'))?.[1])
    if (cache === undefined) {
      this.#messages = Array.from({ length: exists }, () => ({ uid: undefined, flags: undefined, modSeq: 0 }))
      return
    }
    this.#check(cache.validity === this.#validity, 'UIDVALIDITY changed')
    const known = new Map(cache.messages.map((one) => [one.uid, { ...one }]))
    const told = lines.flatMap((line) => /^\* VANISHED \(EARLIER\) (\S+)$/.exec(line)?.[1] ?? []).flatMap(expand)
    for (const uid of told) known.delete(uid)
    for (const line of lines) {
      const fetch = /^\* (\d+) FETCH \((.*)\)$/.exec(line)
      if (fetch === null) continue
      const uid = Number(/UID (\d+)/.exec(fetch[2] ?? '')?.[1])
      const flags = /FLAGS \(([^)]*)\)/.exec(fetch[2] ?? '')?.[1]
      this.#check(!Number.isNaN(uid) && flags !== undefined, 'a QRESYNC answer has UID and FLAGS')
      known.set(uid, { uid, flags: order(flags), modSeq: Number(/MODSEQ \((\d+)\)/.exec(fetch[2] ?? '')?.[1]) })
      const place = [...known.keys()].sort((a, b) => Number(a) - Number(b)).indexOf(uid) + 1
      this.#check(place <= Number(fetch[1]), `UID ${uid} cannot be message ${fetch[1]}`)
    }
    const messages = [...known.values()].sort((a, b) => Number(a.uid) - Number(b.uid))
    this.#check(messages.length <= exists, `${messages.length} known after QRESYNC, ${exists} EXISTS`)
    // A message that goes while this is told is counted and not described (its VANISHED follows): the client has to look.
    this.#check(messages.length === exists || !quiet, `${messages.length} known after QRESYNC, ${exists} EXISTS`)
    const unknown = (): Known => ({ uid: undefined, flags: undefined, modSeq: 0 })
    this.#messages = messages.length === exists ? messages : Array.from({ length: exists }, unknown)
  }

  /** Puts by what is known of the open mailbox, if all of it is. */
  #keep(): void {
    if (this.#mailbox === '' || this.#messages.some(({ uid, flags }) => uid === undefined || flags === undefined))
      return
    this.#caches.set(this.#mailbox, { validity: this.#validity, modSeq: this.#highest, messages: this.#messages })
  }

  /** Drops the connection without a word, as a train in a tunnel does. */
  drop(): void {
    this.#keep()
    this.#client?.close()
    this.#client = undefined
    this.#mailbox = ''
  }

  /** A command, then what it left unknown. */
  async run(text: string, literal?: Buffer): Promise<ImapAnswer> {
    const answer = await this.#run(text, literal)
    const silent = /^((?:UID )?)STORE (\S+) \S*SILENT/.exec(text)
    if (silent !== null && answer.status !== 'BAD') await this.#run(`${silent[1]}FETCH ${silent[2]} (UID FLAGS)`)
    await this.settle()
    return answer
  }

  async #run(text: string, literal?: Buffer): Promise<ImapAnswer> {
    this.#log.push(`> ${text}`)
    const answer = await this.#session.command(text, literal)
    for (const line of answer.untagged) this.#take(line, NO_EXPUNGE.test(text))
    this.#log.push(`${answer.status} ${answer.text}`)
    this.#code(answer.text)
    return answer
  }

  /** Asks for what EXISTS announced. */
  async settle(): Promise<void> {
    const unknown = this.#messages.findIndex(({ uid, flags }) => uid === undefined || flags === undefined)
    if (unknown >= 0) await this.#run(`FETCH ${unknown + 1}:* (UID FLAGS)`)
  }

  /** IDLE until nothing came for `quietMs`. */
  async idle(quietMs: number): Promise<void> {
    const client = this.#session
    this.#log.push('> IDLE')
    client.send('idle IDLE\r\n')
    for (let line = await client.next(); !line.startsWith('+'); line = await client.next()) this.#take(line, false)
    for (;;) {
      const line = await client.next(quietMs).catch(() => undefined) // nothing more
      if (line === undefined) break
      this.#take(line, false)
    }
    client.send('DONE\r\n')
    for (let line = await client.next(); !line.startsWith('idle '); line = await client.next()) this.#take(line, false)
    await this.settle()
  }

  #code(text: string): void {
    const highest = /\[HIGHESTMODSEQ (\d+)\]/.exec(text)?.[1]
    if (highest === undefined) return
    this.#check(Number(highest) >= this.#highest, `HIGHESTMODSEQ fell from ${this.#highest}`)
    this.#highest = Number(highest)
  }

  #take(line: string, bySequence: boolean): void {
    this.#log.push(line)
    const [, first = '', second = ''] = line.split(' ')
    if (first === 'BYE') this.#check(false, 'BYE')
    else if (first === 'OK') this.#code(line)
    else if (first === 'VANISHED') this.#vanished(line, bySequence)
    else if (second === 'EXISTS') this.#exists(Number(first))
    else if (second === 'EXPUNGE') this.#expunge(Number(first), bySequence)
    else if (second === 'FETCH') this.#fetch(Number(first), line)
  }

  #exists(count: number): void {
    this.#check(count >= this.#messages.length, 'EXISTS fell without EXPUNGE')
    while (this.#messages.length < count) this.#messages.push({ uid: undefined, flags: undefined, modSeq: 0 })
  }

  #expunge(number: number, bySequence: boolean): void {
    this.#check(!bySequence, 'EXPUNGE while numbers are in use')
    this.#check(this.#extension !== 'QRESYNC', 'EXPUNGE after ENABLE QRESYNC')
    this.#check(number >= 1 && number <= this.#messages.length, 'EXPUNGE of nobody')
    this.#messages.splice(number - 1, 1)
  }

  #vanished(line: string, bySequence: boolean): void {
    this.#check(this.#extension === 'QRESYNC', 'VANISHED without QRESYNC')
    const [, earlier, set = ''] = /^\* VANISHED( \(EARLIER\))? (\S+)$/.exec(line) ?? []
    this.#check(!bySequence || earlier !== undefined, 'VANISHED while numbers are in use')
    for (const uid of expand(set)) {
      const at = this.#messages.findIndex((one) => one.uid === uid)
      if (at >= 0) this.#messages.splice(at, 1)
      else if (earlier === undefined) this.#unknownGone(uid)
    }
  }

  /** A message that came and went before the client asked for its UID. */
  #unknownGone(uid: number): void {
    const after = this.#messages.findIndex((one) => one.uid !== undefined && one.uid > uid)
    const before = this.#messages.findLastIndex((one) => one.uid !== undefined && one.uid < uid)
    const end = after < 0 ? this.#messages.length : after
    const at = this.#messages.findIndex((one, i) => one.uid === undefined && i > before && i < end)
    this.#check(at >= 0, `${uid} vanished, unknown`)
    this.#messages.splice(at, 1)
  }

  #fetch(number: number, line: string): void {
    const message = this.#messages[number - 1]
    this.#check(message !== undefined, 'FETCH of nobody')
    const uid = /\bUID (\d+)/.exec(line)?.[1]
    const flags = /FLAGS \(([^)]*)\)/.exec(line)?.[1]
    const modSeq = Number(/MODSEQ \((\d+)\)/.exec(line)?.[1] ?? message.modSeq)
    if (uid !== undefined) {
      this.#check(message.uid === undefined || message.uid === Number(uid), `message ${number} was ${message.uid}`)
      message.uid = Number(uid)
      const before = this.#messages.slice(0, number - 1).findLast((one) => one.uid !== undefined)?.uid ?? 0
      this.#check(before < message.uid, 'UIDs do not ascend')
    }
    this.#check(modSeq >= message.modSeq, 'MODSEQ fell')
    message.modSeq = modSeq
    if (flags !== undefined) message.flags = order(flags)
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }
}

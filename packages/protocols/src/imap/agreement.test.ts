/**
 * Several clients at once on one mailbox, random commands side by side (after imaptest): each keeps its own picture from what it is told, no
 * EXPUNGE may come where RFC 9051 §7.5.1 forbids it, and whenever all have said NOOP every picture equals the store.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapFlagNames, Flag, type FlagName } from '@postrider/domain'
import { parseSequenceSet, resolveRanges } from '@postrider/wire/imap'
import { type Client, mail, openRoom, type Room } from './test/room.ts'

interface Entry {
  uid: number | undefined
  flags: string | undefined
}

const sortFlags = (flags: string): string => flags.split(' ').filter(Boolean).sort().join(' ')

/** A client and its picture. */
class Watcher {
  readonly client: Client
  readonly name: string
  readonly entries: Entry[] = []
  readonly log: string[] = []

  constructor(name: string, client: Client) {
    this.name = name
    this.client = client
  }

  async run(text: string): Promise<string> {
    const [verb = '', second = ''] = text.split(' ')
    const bySequence = ['FETCH', 'STORE', 'SEARCH'].includes(verb) && second !== ''
    this.log.push(`> ${text}`)
    const lines = await this.client.command(text)
    for (const line of lines) this.take(line, bySequence)
    const unknown = this.entries.findIndex((one) => one.uid === undefined)
    if (unknown >= 0 && !text.startsWith('FETCH'))
      await this.run(`FETCH ${unknown + 1}:${this.entries.length} (UID FLAGS)`)
    // What a silent STORE did, the client has to ask for.
    const silent = /^((?:UID )?)STORE (\S+) \S*SILENT/.exec(text)
    if (silent && lines.at(-1)?.startsWith('OK')) {
      const set = silent[2]?.includes('*') ? '1:*' : silent[2]
      await this.run(`${silent[1]}FETCH ${set} (UID FLAGS)`)
    }
    return lines.at(-1) ?? ''
  }

  /** A message told by EXISTS only, at a place where this UID could be. */
  #unknownFor(uid: number): number {
    return this.entries.findIndex(
      (one, i) =>
        one.uid === undefined &&
        this.entries.slice(0, i).every((before) => (before.uid ?? 0) < uid) &&
        this.entries.slice(i).every((after) => (after.uid ?? uid + 1) > uid),
    )
  }

  take(line: string, bySequence: boolean): void {
    this.log.push(line)
    const where = (): string => `${this.name}\n${this.log.slice(-25).join('\n')}`
    const exists = /^\* (\d+) EXISTS$/.exec(line)
    if (exists) {
      const count = Number(exists[1])
      assert.ok(count >= this.entries.length, `EXISTS fell without EXPUNGE: ${where()}`)
      while (this.entries.length < count) this.entries.push({ uid: undefined, flags: undefined })
      return
    }
    const expunge = /^\* (\d+) EXPUNGE$/.exec(line)
    if (expunge) {
      assert.ok(!bySequence, `EXPUNGE inside ${where()}`)
      const at = Number(expunge[1]) - 1
      assert.ok(at < this.entries.length, where())
      this.entries.splice(at, 1)
      return
    }
    const vanished = /^\* VANISHED ([\d:,]+)$/.exec(line)
    if (vanished) {
      assert.ok(!bySequence, `VANISHED inside ${where()}`)
      const set = parseSequenceSet(vanished[1] ?? '')
      assert.ok(set?.kind === 'ranges')
      const ranges = resolveRanges(set.ranges, 0)
      for (let i = 0; i < ranges.length; i += 2) {
        for (let uid = ranges[i] as number; uid <= (ranges[i + 1] as number); uid++) {
          const known = this.entries.findIndex((one) => one.uid === uid)
          // EXISTS was told but its UID not yet asked for: then it is one of those.
          const at = known >= 0 ? known : this.#unknownFor(uid)
          assert.ok(at >= 0, `${uid} vanished, unknown: ${where()}`)
          this.entries.splice(at, 1)
        }
      }
      return
    }
    const fetch = /^\* (\d+) FETCH \((.*)$/.exec(line)
    if (fetch) {
      const entry = this.entries[Number(fetch[1]) - 1]
      assert.ok(entry, `FETCH of nobody: ${where()}`)
      const uid = /UID (\d+)/.exec(fetch[2] ?? '')?.[1]
      const flags = /FLAGS \(([^)]*)\)/.exec(fetch[2] ?? '')?.[1]
      if (uid !== undefined) {
        assert.ok(entry.uid === undefined || entry.uid === Number(uid), `UID changed: ${where()}`)
        entry.uid = Number(uid)
      }
      if (flags !== undefined) entry.flags = sortFlags(flags)
    }
  }
}

async function truth(room: Room): Promise<{ uid: number; flags: string }[]> {
  const inbox = (await room.store.folders(room.bob.mailbox)).find((one) => one.role === 'inbox')
  assert.ok(inbox)
  const rows = await room.store.scan(room.bob.mailbox, { folder: inbox.id, columns: ['uid', 'flags', 'keywords'] })
  return Array.from({ length: rows.count }, (_, i) => {
    const bits = (Object.keys(Flag) as FlagName[]).filter((name) => ((rows.flags[i] as number) & Flag[name]) !== 0)
    const words = [...bits.map((name) => imapFlagNames[name]), ...(rows.keywordSets[rows.keywords[i] as number] ?? [])]
    return { uid: rows.uid[i] as number, flags: sortFlags(words.join(' ')) }
  })
}

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function anyCommand(pick: (below: number) => number, count: number): string {
  const n = Math.max(1, count)
  const set = (): string => {
    const [a, b] = [1 + pick(n), 1 + pick(n)]
    return ['1:*', '*', `${a}`, `${a}:${b}`, `${a},${b}`][pick(5)] ?? '1'
  }
  const flags = ['\\Seen', '\\Deleted', '\\Flagged', '$Work', '\\Deleted \\Seen'][pick(5)]
  const kind = ['FLAGS', '+FLAGS', '-FLAGS', '+FLAGS.SILENT', '-FLAGS.SILENT', 'FLAGS.SILENT'][pick(6)]
  const message = mail(`Random ${pick(1000)}`)
  const commands = [
    `STORE ${set()} ${kind} (${flags})`,
    `UID STORE ${set()} ${kind} (${flags})`,
    `FETCH ${set()} (UID FLAGS)`,
    `UID FETCH ${set()} (FLAGS BODY[TEXT]<0.1>)`,
    'EXPUNGE',
    `UID EXPUNGE ${set()}`,
    'NOOP',
    `SEARCH ${flags?.startsWith('\\Seen') ? 'SEEN' : 'DELETED'}`,
    `UID SEARCH ALL`,
    `COPY ${set()} INBOX`,
    `MOVE ${set()} Archive`,
    `UID MOVE ${set()} Archive`,
    `APPEND INBOX {${message.length}+}\r\n${message}`,
    `APPEND INBOX (\\Seen) {${message.length}+}\r\n${message}`,
    'CHECK',
  ]
  return commands[pick(commands.length)] ?? 'NOOP'
}

for (const seed of [1, 2, 3, 105, 136, 166]) {
  test(`R-agreement: four clients, seed ${seed}`, async () => {
    const room = await openRoom()
    try {
      const pick = random(seed)
      for (let i = 0; i < 12; i++) await room.deliver(mail(`Start ${i}`))
      const watchers: Watcher[] = []
      for (const enabled of ['', 'CONDSTORE', 'QRESYNC', 'IMAP4rev2']) {
        const watcher = new Watcher(enabled, await room.login())
        if (enabled !== '') await watcher.run(`ENABLE ${enabled}`)
        await watcher.run('SELECT INBOX')
        watchers.push(watcher)
      }
      for (let round = 0; round < 60; round++) {
        if (pick(4) === 0) await room.deliver(mail(`Arrives ${round}`))
        await Promise.all(watchers.map((watcher) => watcher.run(anyCommand(pick, watcher.entries.length))))
        if (round % 6 !== 5) continue
        for (const watcher of watchers) await watcher.run('NOOP')
        const now = await truth(room)
        for (const watcher of watchers) {
          assert.deepEqual(watcher.entries, now, `${watcher.name} round ${round}\n${watcher.log.slice(-40).join('\n')}`)
        }
      }
    } finally {
      await room.close()
    }
  })
}

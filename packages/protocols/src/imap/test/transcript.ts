/**
 * Plays a conversation from a file: whoever can read the RFC can review it.
 *   # comment                      A deliver Subject         puts a mail into bob's INBOX behind everybody's back
 *   A: text     A sends a line     A< pattern                A's next line
 *   A> text     A sends text as it is, \r\n written out
 * In a pattern `$name` stands for something without spaces, quotes or brackets: kept the first time, compared later; `...` for
 * anything. Every line a client gets must be in the file. Clients are logged in when they are first named; `0` is not, `T` not even
 * inside TLS.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImapSettings } from '../index.ts'
import { type Client, mail, openRoom } from './room.ts'

export interface Transcript {
  readonly name: string
  readonly text: string
}

export function loadTranscripts(folder: string): Transcript[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => ({ name: name.slice(0, -4), text: readFileSync(join(folder, name), 'utf8') }))
}

export async function play({ name, text }: Transcript, settings: Partial<ImapSettings> = {}): Promise<void> {
  const room = await openRoom(settings)
  const clients = new Map<string, Client>()
  const values = new Map<string, string>()
  const client = async (id: string): Promise<Client> => {
    const known = clients.get(id)
    if (known !== undefined) return known
    const fresh = id === '0' ? await room.connect() : id === 'T' ? await room.connect(false) : await room.login()
    clients.set(id, fresh)
    return fresh
  }
  try {
    for (const [index, line] of text.split('\n').entries()) {
      const where = `${name}.txt:${index + 1}`
      if (line.trim() === '' || line.startsWith('#')) continue
      const deliver = /^\S* ?deliver (.*)$/.exec(line)
      if (deliver !== null) {
        await room.deliver(mail(deliver[1] as string))
        continue
      }
      const step = /^(\w)([:<>]) ?(.*)$/.exec(line)
      assert.ok(step, `${where}: not understood: ${line}`)
      const [, id = '', kind = '', rest = ''] = step
      const who = await client(id)
      if (kind === '<') {
        const got = await who.line().catch((error: Error) => assert.fail(`${where}: ${error.message}`))
        const expected = pattern(rest, values)
        const match = expected.exec(got ?? '(closed)')
        assert.ok(match, `${where}\n expected ${rest}\n got      ${got ?? '(closed)'}`)
        for (const [key, value] of Object.entries(match.groups ?? {})) values.set(key, value)
        continue
      }
      assert.equal(who.poll(), undefined, `${where}: a line nobody expected`)
      who.send(kind === ':' ? `${fill(rest, values)}\r\n` : fill(rest, values).replaceAll('\\r\\n', '\r\n'))
    }
    for (const [id, one] of clients) assert.equal(one.poll(), undefined, `${name}: ${id} got a line nobody expected`)
  } finally {
    await room.close()
  }
}

function pattern(text: string, values: ReadonlyMap<string, string>): RegExp {
  const known = new Set<string>()
  const source = text.split(/(\$[a-z]\w*|\.\.\.)/).map((piece) => {
    if (piece === '...') return '.*'
    if (!/^\$[a-z]\w*$/.test(piece)) return literally(piece)
    const key = piece.slice(1)
    const value = values.get(key)
    if (value !== undefined) return literally(value)
    if (known.has(key)) return `\\k<${key}>`
    known.add(key)
    return `(?<${key}>[^\\s"()\\]]+)`
  })
  return new RegExp(`^${source.join('')}$`)
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$([a-z]\w*)/g, (whole, key: string) => values.get(key) ?? whole)
}

import { decodeUtf7 } from '@postrider/wire/imap'
import { sortFlags } from './flag-names.ts'
import { roleOfUse } from './folders.ts'
import { ImapRefusal, type ImapServer, ImapSourceClient, type ImapValue, textOfValue } from './imap-client.ts'
import { withCrlf } from './line-ends.ts'
import {
  MAX_MAIL_BYTES,
  type MailSource,
  type SourceFolder,
  type SourceMail,
  TransferError,
  tooManyBytes,
} from './types.ts'

/** Fetched with one command: mails and bytes. */
const FETCH_MAILS = 100
const FETCH_BYTES = 8 * 1024 * 1024

interface Listed {
  /** As the server spells it. */
  readonly raw: string
  readonly path: readonly string[]
  readonly flags: ReadonlySet<string>
}
interface Namespace {
  readonly prefix: string
  readonly separator: string
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
/** INTERNALDATE: RFC 9051 §9 date-time. */
function internalDate(text: string): number | undefined {
  const match = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text.trim())
  if (match === null) return undefined
  const month = months.indexOf((match[2] as string).toLowerCase())
  if (month < 0) return undefined
  const [day, , year, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const offset = (Number(match[8]) * 60 + Number(match[9])) * (match[7] === '-' ? -1 : 1)
  return Date.UTC(year, month, day, hour, minute, second) - offset * 60_000
}

const quotedName = (raw: string): string => `"${raw.replace(/["\\]/g, '\\$&')}"`

/** The attributes of a FETCH answer. */
function attributes(values: readonly ImapValue[]): Map<string, ImapValue> | undefined {
  if (textOfValue(values[1]).toUpperCase() !== 'FETCH' || !Array.isArray(values[2])) return undefined
  const list = values[2] as readonly ImapValue[]
  const found = new Map<string, ImapValue>()
  for (let i = 0; i + 1 < list.length; i += 2) found.set(textOfValue(list[i]).toUpperCase(), list[i + 1] as ImapValue)
  return found
}

/** Another IMAP server as a source: its folders, flags, dates and UIDs. Nothing is changed there (EXAMINE, BODY.PEEK). */
export async function imapSource(server: ImapServer): Promise<MailSource> {
  const client = await ImapSourceClient.open(server)
  return {
    kind: 'imap',
    folders: () => folders(client, server),
    close: async () => client.close(),
  }
}

async function namespaces(
  client: ImapSourceClient,
): Promise<{ own: Namespace | undefined; others: readonly string[] }> {
  if (!client.can('NAMESPACE')) return { own: undefined, others: [] }
  let lists: readonly ImapValue[] = []
  await client.command('NAMESPACE', (values) => {
    if (textOfValue(values[0]).toUpperCase() === 'NAMESPACE') lists = values.slice(1)
  })
  const of = (value: ImapValue | undefined): Namespace[] =>
    (Array.isArray(value) ? (value as readonly ImapValue[]) : []).flatMap((one) =>
      Array.isArray(one)
        ? [{ prefix: textOfValue(one[0] as ImapValue), separator: textOfValue(one[1] as ImapValue) }]
        : [],
    )
  return {
    own: of(lists[0])[0],
    others: [...of(lists[1]), ...of(lists[2])].map((one) => one.prefix).filter((one) => one !== ''),
  }
}

async function listed(client: ImapSourceClient): Promise<Listed[]> {
  const { own, others } = await namespaces(client)
  const found: Listed[] = []
  const take = (into: (one: Listed) => void, word: string) => (values: readonly ImapValue[]) => {
    if (textOfValue(values[0]).toUpperCase() !== word) return
    const flags = new Set(
      (Array.isArray(values[1]) ? (values[1] as readonly ImapValue[]) : []).map((one) =>
        textOfValue(one).toLowerCase(),
      ),
    )
    const separator = textOfValue(values[2])
    const raw = textOfValue(values[3])
    if (raw === '' || others.some((prefix) => raw.startsWith(prefix))) return
    const inside =
      own !== undefined && own.prefix !== '' && raw.startsWith(own.prefix) ? raw.slice(own.prefix.length) : raw
    const names = (separator === '' ? [inside] : inside.split(separator)).filter((one) => one !== '')
    const path = names.map((one) => decodeUtf7(one) ?? Buffer.from(one, 'latin1').toString())
    into({ raw, path: path.length === 1 && raw.toUpperCase() === 'INBOX' ? [] : path, flags })
  }
  const extended = client.can('SPECIAL-USE') && client.can('LIST-EXTENDED')
  await client.command(
    `LIST "" "*"${extended ? ' RETURN (SUBSCRIBED SPECIAL-USE)' : ''}`,
    take((one) => found.push(one), 'LIST'),
  )
  if (extended) return found
  const subscribed = new Set<string>()
  await client.command(
    'LSUB "" "*"',
    take((one) => subscribed.add(one.raw), 'LSUB'),
  )
  return found.map((one) =>
    subscribed.has(one.raw) ? { ...one, flags: new Set([...one.flags, '\\subscribed']) } : one,
  )
}

async function folders(client: ImapSourceClient, server: ImapServer): Promise<SourceFolder[]> {
  const result: SourceFolder[] = []
  for (const one of await listed(client)) {
    if (['\\noselect', '\\nonexistent', '\\all', '\\flagged'].some((flag) => one.flags.has(flag))) continue
    const status = new Map<string, number>()
    await client.command(`STATUS ${quotedName(one.raw)} (MESSAGES UIDNEXT UIDVALIDITY)`, (values) => {
      if (textOfValue(values[0]).toUpperCase() !== 'STATUS' || !Array.isArray(values[2])) return
      const list = values[2] as readonly ImapValue[]
      for (let i = 0; i + 1 < list.length; i += 2)
        status.set(textOfValue(list[i]).toUpperCase(), Number(textOfValue(list[i + 1])))
    })
    const [validity = 0, next = 0] = [status.get('UIDVALIDITY'), status.get('UIDNEXT')]
    const role = [...one.flags].map((flag) => roleOfUse.get(flag)).find((found) => found !== undefined)
    const origin = `${server.user}@${server.host}:${server.port}/${one.raw};${validity}`
    result.push({
      path: one.path,
      role: one.path.length === 0 ? 'inbox' : role,
      subscribed: one.flags.has('\\subscribed'),
      uids: validity > 0 && next > 0 ? { validity, next } : undefined,
      weight: status.get('MESSAGES') ?? 0,
      mails: (known) => mails(client, one, origin, known),
    })
  }
  return result
}

interface Head {
  readonly uid: number
  readonly size: number
  readonly flags: readonly string[]
  readonly received: number | undefined
}

async function heads(client: ImapSourceClient, raw: string): Promise<Head[]> {
  let exists = 0
  await client.command(`EXAMINE ${quotedName(raw)}`, (values) => {
    if (textOfValue(values[1]).toUpperCase() === 'EXISTS') exists = Number(textOfValue(values[0]))
  })
  const found: Head[] = []
  if (exists === 0) return found
  await client.command('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)', (values) => {
    const of = attributes(values)
    const uid = Number(textOfValue(of?.get('UID')))
    if (of === undefined || !(uid > 0)) return
    const flags = of.get('FLAGS')
    found.push({
      uid,
      size: Number(textOfValue(of.get('RFC822.SIZE'))) || 0,
      flags: (Array.isArray(flags) ? (flags as readonly ImapValue[]) : []).map(textOfValue),
      received: internalDate(textOfValue(of.get('INTERNALDATE'))),
    })
  })
  return found.sort((a, b) => a.uid - b.uid)
}

/** The texts of some mails. A mail that the server does not give is missing in the answer. */
async function texts(client: ImapSourceClient, uids: readonly number[]): Promise<Map<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>()
  await client.command(`UID FETCH ${uids.join(',')} (UID BODY.PEEK[])`, (values) => {
    const of = attributes(values)
    const uid = Number(textOfValue(of?.get('UID')))
    const body = of?.get('BODY[]')
    if (Buffer.isBuffer(body)) found.set(uid, body)
    else if (typeof body === 'string') found.set(uid, Buffer.from(body, 'latin1'))
  })
  return found
}

async function* mails(
  client: ImapSourceClient,
  { raw, path }: Listed,
  origin: string,
  known: (ticket: string) => boolean,
): AsyncIterable<SourceMail> {
  const wanted = (await heads(client, raw)).filter(({ uid }) => !known(`${origin};${uid}`))
  for (let at = 0; at < wanted.length; ) {
    const batch: Head[] = []
    let bytes = 0
    while (at < wanted.length && batch.length < FETCH_MAILS && (batch.length === 0 || bytes < FETCH_BYTES)) {
      const head = wanted[at++] as Head
      batch.push(head)
      bytes += head.size
    }
    const asked = batch.filter(({ size }) => size <= MAX_MAIL_BYTES).map(({ uid }) => uid)
    const found = asked.length === 0 ? new Map<number, Uint8Array>() : await textsOrOneByOne(client, asked)
    for (const { uid, size, flags, received } of batch) {
      const text = found.get(uid)
      const sorted = sortFlags(flags)
      yield {
        where: `${path.join('/') || 'INBOX'}, UID ${uid}`,
        ticket: `${origin};${uid}`,
        uid,
        ...sorted,
        received,
        weight: 1,
        async read() {
          if (size > MAX_MAIL_BYTES) throw new TransferError(tooManyBytes(size))
          if (text === undefined)
            throw new TransferError({ en: 'the server does not give it', fr: 'le serveur ne le donne pas' })
          return withCrlf(text)
        },
      }
    }
  }
}

/** One mail that the server cannot read must not cost its neighbours. */
async function textsOrOneByOne(client: ImapSourceClient, uids: readonly number[]): Promise<Map<number, Uint8Array>> {
  try {
    return await texts(client, uids)
  } catch (error) {
    if (!(error instanceof ImapRefusal)) throw error
  }
  const found = new Map<number, Uint8Array>()
  for (const uid of uids) {
    try {
      for (const [key, value] of await texts(client, [uid])) found.set(key, value)
    } catch (error) {
      if (!(error instanceof ImapRefusal)) throw error
    }
  }
  return found
}

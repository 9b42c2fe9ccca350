/** The year as a source of mails, like a Maildir or another server: planned as a table of small rows, each mail written when it is asked for. */
import { Flag, type FolderRole, type Language } from '@postrider/domain'
import { type AttachmentInput, buildMessage, type MessageInput } from '@postrider/wire/mime'
import type { MailSource, SourceFolder, SourceMail } from '../transfer/types.ts'
import { escapeText } from '../web/html.ts'
import { Chance } from './chance.ts'
import { csv, pdf } from './files.ts'
import { letter, type LetterKind } from './letters.ts'
import { ALBUM, picture } from './picture.ts'
import { people, type Speaker, stories, type Story, words } from './stories.ts'

export interface DemoOptions {
  readonly address: string
  readonly displayName: string
  readonly language: Language
  /** The same seed, address and end make the same mails, byte by byte. */
  readonly seed: number
  /** Mails, about: a conversation is not cut. */
  readonly count: number
  /** The last moment of the year, ms since 1970. */
  readonly until: number
}

const DAY = 86_400_000
const HOUR = 3_600_000
const YEAR = 365 * DAY
/** Older than this, mail was read and mostly filed. */
const FRESH = 12 * DAY
const OLD = 75 * DAY

const places = {
  Inbox: { path: [], role: 'inbox' },
  Sent: { path: ['Sent'], role: 'sentitems' },
  Drafts: { path: ['Drafts'], role: 'drafts' },
  Archive: { path: ['Archive'], role: 'archive' },
  Junk: { path: ['Junk'], role: 'junkemail' },
  Projects: { path: ['Projects'], role: undefined },
  Travel: { path: ['Travel'], role: undefined },
  Family: { path: ['Family'], role: undefined },
  Receipts: { path: ['Receipts'], role: undefined },
} as const satisfies Record<string, { readonly path: readonly string[]; readonly role: FolderRole | undefined }>
type PlaceName = keyof typeof places

interface Row {
  readonly place: PlaceName
  readonly id: string
  readonly time: number
  readonly flags: number
  write(): Uint8Array
}

export function demoSource(options: DemoOptions): MailSource {
  const rows = plan(options)
  return {
    kind: 'eml',
    async folders() {
      return (Object.keys(places) as PlaceName[]).flatMap((name): SourceFolder[] => {
        const own = rows.filter((row) => row.place === name)
        const { path, role } = places[name]
        return own.length === 0 ? [] : [{ path, role, weight: own.length, mails: () => mailsOf(own) }]
      })
    },
    async close() {},
  }
}

async function* mailsOf(rows: readonly Row[]): AsyncIterable<SourceMail> {
  for (const { id, time, flags, write } of rows)
    yield { where: id, flags, keywords: [], received: time, weight: 1, read: async () => write() }
}

const letterKinds: readonly LetterKind[] = [
  'newsletter',
  'newsletter',
  'newsletter',
  'receipt',
  'receipt',
  'notice',
  'notice',
  'notice',
  'flight',
  'invitation',
  'junk',
]

/** Rows in the order of time. */
function plan(options: DemoOptions): Row[] {
  const { seed, count, until } = options
  const chance = Chance.of(seed, `plan ${options.address}`)
  const rows: Row[] = []
  for (let n = 0; rows.length < count; n++) {
    // The last days have more than their share, so that the first page is lively.
    const age = (chance.happens(0.12) ? chance.next() * 0.03 : chance.next()) * YEAR
    const time = Math.floor(workingHour(until - age, chance))
    if (chance.happens(0.45)) rows.push(...conversation(options, `c${n}`, time))
    else rows.push(machine(options, `l${n}`, time, chance.pick(letterKinds)))
  }
  rows.push(draft(options))
  return rows.sort((a, b) => a.time - b.time)
}

/** People write by day, mostly. */
function workingHour(time: number, chance: Chance): number {
  const day = Math.floor(time / DAY) * DAY
  return Math.min(day + 7 * HOUR + Math.floor((chance.next() + chance.next()) * 6 * HOUR), byDay(time))
}

/** Whoever would answer at night does so in the morning. */
function byDay(time: number): number {
  const hour = (time % DAY) / HOUR
  return hour < 7 ? time + 7 * HOUR : hour > 20 ? time + 11 * HOUR : time
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)

function castOf({ address, displayName }: DemoOptions, story: Story, chance: Chance): Record<Speaker, Person> {
  const own = domainOf(address)
  const matching = people.filter(({ language }) => language === story.language)
  const others = people.filter(({ language }) => language !== story.language)
  const drawn = [...shuffled(matching, chance), ...shuffled(others, chance)].map(({ name, local, domain }) => ({
    name,
    address: `${local}@${domain ?? own}`,
  }))
  return { me: { name: displayName, address }, a: drawn[0]!, b: drawn[1]!, c: drawn[2]! }
}
interface Person {
  readonly name: string
  readonly address: string
}
function shuffled<T>(list: readonly T[], chance: Chance): T[] {
  return list
    .map((one) => [chance.next(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}

function conversation(options: DemoOptions, name: string, begun: number): Row[] {
  const chance = Chance.of(options.seed, name)
  const likely = stories.filter(({ language }) => language === options.language)
  const story = chance.happens(0.6) ? chance.pick(likely) : chance.pick(stories)
  const cast = castOf(options, story, chance)
  const drawn = new Map<string, string>()
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, word: string) => {
      const known = drawn.get(word) ?? chance.pick(words[word] ?? [word])
      drawn.set(word, known)
      return known
    })
  const subject = fill(story.subject)
  const speakers = [...new Set(story.says.map(([who]) => who).concat('me'))]
  const files = (story.files ?? []).map((kind) => [kind, chance.below(ALBUM)] as const)
  let time = begun
  const turns = story.says.map(([who, text], at) => {
    if (at > 0) time = byDay(time + Math.floor((0.2 + chance.next() * 7) * HOUR))
    return { who, text: fill(text), time }
  })
  const old = options.until - begun > OLD
  const filed: PlaceName = story.folder ?? 'Archive'
  const starred = chance.happens(0.12)
  return turns
    .filter(({ time }) => time <= options.until)
    .map((turn, at): Row => {
      const mine = turn.who === 'me'
      const id = `${name}.${at}`
      const answered = turns[at + 1]?.who === 'me' && (turns[at + 1]?.time ?? 0) <= options.until
      const read = mine || answered || options.until - turn.time > FRESH || chance.happens(0.45)
      const flags =
        (read ? Flag.seen : 0) | (answered ? Flag.answered : 0) | (starred && at === 0 && !mine ? Flag.flagged : 0)
      return {
        place: mine ? 'Sent' : old ? filed : 'Inbox',
        id,
        time: turn.time,
        flags,
        write() {
          const before = turns[at - 1]
          const quote = before === undefined ? undefined : { ...before, name: cast[before.who].name }
          return render(options, {
            from: [cast[turn.who]],
            to: speakers.filter((one) => one !== turn.who).map((one) => cast[one]),
            subject: at === 0 ? subject : `Re: ${subject}`,
            date: turn.time,
            messageId: idOf(options, id),
            ...(at === 0
              ? {}
              : {
                  inReplyTo: idOf(options, `${name}.${at - 1}`),
                  references: turns.slice(0, at).map((_, i) => idOf(options, `${name}.${i}`)),
                }),
            ...bodyOf(turn.text, cast[turn.who].name, quote),
            attachments: at === 0 ? files.flatMap(([kind, number]) => attachments(kind, number, subject)) : [],
          })
        },
      }
    })
}

function bodyOf(
  text: string,
  name: string,
  quote: { readonly name: string; readonly text: string; readonly time: number } | undefined,
): Pick<MessageInput, 'text' | 'html'> {
  const sign = name.split(' ')[0] ?? name
  const paragraphs = (one: string): string =>
    one
      .split('\n\n')
      .map((part) => `<p>${escapeText(part).replaceAll('\n', '<br>')}</p>`)
      .join('')
  const when =
    quote === undefined ? '' : `${new Date(quote.time).toISOString().slice(0, 16).replace('T', ' ')}, ${quote.name}:`
  const quoted =
    quote === undefined
      ? ''
      : `\n\n${when}\n${quote.text
          .split('\n')
          .map((line) => `> ${line}`)
          .join('\n')}`
  const quotedHtml =
    quote === undefined ? '' : `<p>${escapeText(when)}</p><blockquote>${paragraphs(quote.text)}</blockquote>`
  return {
    text: `${text}\n\n${sign}${quoted}\n`,
    html: `<!DOCTYPE html><html><body dir="auto">${paragraphs(text)}<p>${escapeText(sign)}</p>${quotedHtml}</body></html>`,
  }
}

function attachments(kind: NonNullable<Story['files']>[number], number: number, title: string): AttachmentInput[] {
  const plain =
    title
      .normalize('NFD')
      .replace(/[^\w ]/g, '')
      .trim() || 'document'
  const photo = (n: number): AttachmentInput => ({
    content: picture(n % ALBUM),
    contentType: 'image/png',
    filename: `IMG_${2_000 + n}.png`,
  })
  if (kind === 'picture') return [photo(number)]
  if (kind === 'pictures') return [photo(number), photo(number + 1), photo(number + 2)]
  if (kind === 'csv') {
    const rows = ['Jan', 'Feb', 'Mar'].map((month, i) => [month, 1_200 + number * 37 + i * 210, 900 + number * 41])
    return [{ content: csv([['Month', 'Plan', 'Actual'], ...rows]), contentType: 'text/csv', filename: 'figures.csv' }]
  }
  return [
    {
      content: pdf([plain, 'For discussion.', 'Page 1 of 1']),
      contentType: 'application/pdf',
      filename: `${plain}.pdf`,
    },
  ]
}

function machine(options: DemoOptions, id: string, time: number, kind: LetterKind): Row {
  const chance = Chance.of(options.seed, id)
  const age = options.until - time
  const seen = age > FRESH || chance.happens(0.5)
  const filed: PlaceName | undefined =
    kind === 'junk'
      ? 'Junk'
      : age < OLD
        ? undefined
        : kind === 'receipt'
          ? 'Receipts'
          : kind === 'flight'
            ? 'Travel'
            : undefined
  return {
    place: filed ?? (age > 2 * OLD ? 'Archive' : 'Inbox'),
    id,
    time,
    flags: seen ? Flag.seen : 0,
    write() {
      const made = letter(kind, {
        chance: Chance.of(options.seed, `${id} text`),
        to: options.address,
        time,
        id: `${options.seed}x${id}`,
      })
      return render(options, {
        ...made,
        from: [made.from],
        to: [{ name: options.displayName, address: options.address }],
        date: time,
        messageId: idOf(options, id),
      })
    },
  }
}

function draft(options: DemoOptions): Row {
  const time = options.until - 5 * HOUR
  const [text, subject] =
    options.language === 'fr'
      ? ['Bonjour,\n\nvoici quelques idées pour le printemps :', 'Idées pour le printemps']
      : ['Hello,\n\nhere are a few ideas for the spring:', 'Ideas for the spring']
  return {
    place: 'Drafts',
    id: 'draft',
    time,
    flags: Flag.seen | Flag.draft,
    write: () =>
      render(options, {
        from: [{ name: options.displayName, address: options.address }],
        to: [{ name: 'Grace Okafor', address: `grace.okafor@${domainOf(options.address)}` }],
        subject,
        date: time,
        messageId: idOf(options, 'draft'),
        text,
      }),
  }
}

const idOf = ({ seed }: DemoOptions, id: string): string => `<${id}.${seed}@demonstration.example>`

/** Boundaries that depend on the message alone, so that a second run brings the same bytes. */
function render({ seed }: DemoOptions, input: MessageInput): Uint8Array {
  const bytes = Buffer.from(buildMessage(input))
  const names = new Map<string, string>()
  const text = bytes.toString('latin1').replace(/=_[\w-]{24}/g, (name) => {
    const known = names.get(name) ?? `=_${`${seed}part${names.size}`.padEnd(24, '0').slice(-24)}`
    names.set(name, known)
    return known
  })
  return Buffer.from(text, 'latin1')
}

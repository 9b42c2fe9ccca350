import {
  type GroupEntry,
  type MailboxEntry,
  type Phrase,
  type ProtocolName,
  protocolNames,
  type Say,
} from '@postrider/domain'
import { type Terminal, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { mustBeOneOf, warningWord } from '../../cli/phrases.ts'
import { parseSize } from '../../config/kinds.ts'

/** A mailbox as commands print it: JSON has these fields. */
export interface UserReport {
  readonly address: string
  readonly account: string
  readonly displayName: string
  readonly type: string
  readonly enabled: boolean
  readonly administrator: boolean
  readonly aliases: readonly string[]
  readonly language: string
  readonly quota: number | null
  readonly protocols: readonly ProtocolName[]
  readonly hidden: boolean
  readonly forwardTo: string | null
  readonly keepCopy: boolean
  readonly fullAccess: readonly string[]
  readonly sendAs: readonly string[]
  readonly sendOnBehalf: readonly string[]
  readonly database: string
  readonly created: string
}

export function userReport(entry: MailboxEntry, addressOf: (account: string) => string): UserReport {
  return {
    address: entry.address,
    account: entry.account,
    displayName: entry.displayName,
    type: entry.type,
    enabled: entry.enabled,
    administrator: entry.isAdministrator,
    aliases: entry.aliases,
    language: entry.language,
    quota: entry.quota ?? null,
    protocols: protocolNames.filter((name) => entry.protocols[name]),
    hidden: entry.hiddenFromAddressLists,
    forwardTo: entry.forwardTo ?? null,
    keepCopy: entry.deliverAndForward,
    fullAccess: entry.fullAccess.map(addressOf),
    sendAs: entry.sendAs.map(addressOf),
    sendOnBehalf: entry.sendOnBehalf.map(addressOf),
    database: entry.database,
    created: new Date(entry.created).toISOString(),
  }
}

/** One fact a line. */
export const factText = (report: object): string =>
  columns(
    Object.entries(report).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') || '-' : value === null || value === undefined ? '-' : String(value),
    ]),
    '',
  )

export interface GroupReport {
  readonly address: string
  readonly displayName: string
  readonly members: readonly string[]
  readonly hidden: boolean
  readonly insideOnly: boolean
}
export const groupReport = (entry: GroupEntry): GroupReport => ({
  address: entry.address,
  displayName: entry.displayName,
  members: entry.members,
  hidden: entry.hiddenFromAddressLists,
  insideOnly: entry.requireSenderAuthentication,
})

/** Bytes of `--quota`: a size, or `none`. */
export function quotaOf(words: Words): number | null | undefined {
  const text = words.value('quota')
  if (text === undefined) return undefined
  if (text === 'none') return null
  const bytes = parseSize(text)
  if (bytes === undefined)
    throw new UsageError({
      en: `'${text}' is no size. Write it as 500MB, 2GB or none.`,
      fr: `« ${text} » n’est pas une taille. Écrivez 500MB, 2GB ou none.`,
    })
  return bytes
}

export function languageOf(words: Words): 'en' | 'fr' | undefined {
  const text = words.value('language')
  if (text === undefined || text === 'en' || text === 'fr') return text
  throw new UsageError({ en: '--language must be en or fr.', fr: '--language doit être en ou fr.' })
}

export function typeOf(words: Words): MailboxEntry['type'] | undefined {
  const text = words.value('type')
  const types = ['user', 'shared', 'room', 'equipment'] as const
  const type = types.find((one) => one === text)
  if (text !== undefined && type === undefined) throw new UsageError(mustBeOneOf('type', types))
  return type
}

export function protocolsNamed(list: readonly string[] | undefined): ProtocolName[] {
  return (list ?? []).map((text) => {
    const name = protocolNames.find((one) => one === text)
    if (name === undefined)
      throw new UsageError({
        en: `'${text}' is not a protocol. Possible: ${protocolNames.join(', ')}.`,
        fr: `« ${text} » n’est pas un protocole. Possibles : ${protocolNames.join(', ')}.`,
      })
    return name
  })
}

export const passwordOptions = {
  'password-stdin': {
    help: {
      en: 'Reads the password from the first line of standard input.',
      fr: 'Lit le mot de passe sur la première ligne de l’entrée standard.',
    },
  },
} as const

export const passwordPrompt: Phrase = { en: 'Password: ', fr: 'Mot de passe : ' }

export const quotaHelp: Phrase = { en: 'Largest size: 500MB, 2GB, none.', fr: 'Taille maximale : 500MB, 2GB, none.' }

/** Shorter ones are accepted, but not without a word. */
const SHORT = 8

/** The password: from standard input, or asked for twice at the terminal. */
export async function readPassword(words: Words, terminal: Terminal, say: Say): Promise<string> {
  let password: string | undefined
  if (words.flag('password-stdin')) {
    password = (await terminal.input()).split(/\r?\n/, 1)[0] ?? ''
  } else {
    password = await terminal.askSecret(say(passwordPrompt))
    if (password === undefined)
      throw new UsageError({
        en: 'There is no terminal to ask for the password: pipe it in and add --password-stdin.',
        fr: 'Il n’y a pas de terminal pour demander le mot de passe : donnez-le par un tube et ajoutez --password-stdin.',
      })
    if ((await terminal.askSecret(say({ en: 'The same again: ', fr: 'Encore une fois : ' }))) !== password)
      throw new UsageError({ en: 'The two are not the same.', fr: 'Les deux ne sont pas identiques.' })
  }
  if (password === '') throw new UsageError({ en: 'The password is empty.', fr: 'Le mot de passe est vide.' })
  if (password.length < SHORT)
    terminal.error(
      `${say(warningWord)} ${say({
        en: `a password of fewer than ${SHORT} characters is easily guessed.`,
        fr: `un mot de passe de moins de ${SHORT} caractères se devine facilement.`,
      })}`,
    )
  return password
}

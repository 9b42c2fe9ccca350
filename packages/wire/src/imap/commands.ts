import { ImapSyntaxError } from './errors.ts'
import { mailboxCommands } from './grammar/mailbox.ts'
import { messageCommands } from './grammar/message.ts'
import { metadataCommands } from './grammar/metadata.ts'
import { searchCommands } from './grammar/search.ts'
import { sessionCommands } from './grammar/session.ts'
import { ArgumentReader } from './reader.ts'
import type { CommandText } from './receiver.ts'

/** Every command we can read, and how its arguments are read. What a session allows is another table. */
const grammar = {
  ...sessionCommands,
  ...mailboxCommands,
  ...metadataCommands,
  ...messageCommands,
  ...searchCommands,
} as const

export type CommandName = keyof typeof grammar

/** A command with its arguments read. `uid`: the client wrote `UID` before the name. */
export type ImapCommand = {
  [Name in CommandName]: { readonly name: Name; readonly tag: string; readonly uid: boolean } & ReturnType<
    (typeof grammar)[Name]
  >
}[CommandName]

/** The command of one name. */
export type CommandOf<Name extends CommandName> = Extract<ImapCommand, { name: Name }>

export type ParsedCommand =
  | { readonly ok: true; readonly command: ImapCommand }
  | { readonly ok: false; readonly tag: string; readonly text: string; readonly code: 'BADCHARSET' | undefined }

/** Commands that may follow `UID`: RFC 9051 §6.4.9, RFC 4315, RFC 5256, RFC 6851, RFC 8508. */
const afterUid: ReadonlySet<string> = new Set([
  'FETCH',
  'STORE',
  'COPY',
  'MOVE',
  'SEARCH',
  'SORT',
  'THREAD',
  'EXPUNGE',
  'REPLACE',
])

/** The names `parseCommand` knows. */
export const COMMAND_NAMES = Object.keys(grammar) as CommandName[]
const names: ReadonlySet<string> = new Set(COMMAND_NAMES)

/** The command's name without `UID`, or undefined for a command we cannot read. */
export function commandName(text: CommandText): CommandName | undefined {
  const uid = text.name.startsWith('UID ')
  const name = uid ? text.name.slice(4) : text.name
  if (!names.has(name) || (uid && !afterUid.has(name))) return undefined
  return name as CommandName
}

/**
 * Reads a command's arguments: RFC 9051 §9 and the extensions named above each grammar file. Never throws on input. `utf8`:
 * mailbox names are UTF-8 (RFC 6855, RFC 9051 §5.1) and not modified UTF-7.
 */
export function parseCommand(text: CommandText, utf8 = false): ParsedCommand {
  return parse(text, utf8, false)
}

/**
 * Reads the part of an APPEND or REPLACE that stands before an announced message (`message` event), so that the mailbox, the
 * quota and the syntax can be judged before a byte of it is accepted. The last message's `literal` is undefined.
 */
export function parsePrefix(text: CommandText, utf8 = false): ParsedCommand {
  return parse(text, utf8, true)
}

function parse(text: CommandText, utf8: boolean, prefix: boolean): ParsedCommand {
  const name = commandName(text)
  const fail = (message: string, code?: 'BADCHARSET'): ParsedCommand => ({
    ok: false,
    tag: text.tag,
    text: message,
    code,
  })
  if (name === undefined) return fail('Unknown command')
  const uid = text.name.length > name.length
  const reader = new ArgumentReader(text, utf8, prefix)
  try {
    const args = grammar[name](reader)
    reader.end()
    if (name === 'EXPUNGE' && uid !== ((args as { set?: unknown }).set !== undefined)) {
      return fail(uid ? 'Message set expected' : 'Unexpected arguments')
    }
    return { ok: true, command: { name, tag: text.tag, uid, ...args } as ImapCommand }
  } catch (error) {
    if (error instanceof ImapSyntaxError) return fail(error.message, error.code)
    throw error
  }
}

import type { CommandName, CommandOf } from '@postrider/wire/imap'
import type { Answer } from './codes.ts'
import type { Session } from './session.ts'

export type StateName = 'notAuthenticated' | 'authenticated' | 'selected'

/**
 * What the dispatcher must know of a command before it runs: RFC 9051 §6. `updates` says what the session may hear of other
 * clients' doings before the tagged answer: `none`; `noExpunge` (sequence numbers must stand still, RFC 9051 §7.5.1); or `all`. A
 * command with `uid` form hears `all` there, for it names no sequence number. `looks`: always look at the change feed, hint or not.
 */
export interface CommandSpec<Name extends CommandName> {
  readonly name: Name
  readonly states: readonly StateName[]
  /** Refused as unknown where this capability is switched off. */
  readonly capability?: string
  readonly updates: 'none' | 'noExpunge' | 'all'
  readonly looks?: boolean
  /** Undefined: the command goes on (IDLE) or has ended the connection. */
  run(session: Session, command: CommandOf<Name>): Promise<Answer | undefined> | Answer | undefined
}

/** A command as the table holds it. */
export type AnyCommand = { [Name in CommandName]: CommandSpec<Name> }[CommandName]

export const anyState: readonly StateName[] = ['notAuthenticated', 'authenticated', 'selected']
export const beforeLogin: readonly StateName[] = ['notAuthenticated']
export const afterLogin: readonly StateName[] = ['authenticated', 'selected']
export const selected: readonly StateName[] = ['selected']

/** Declares a command: the table's types are checked here. */
export function command<Name extends CommandName>(spec: CommandSpec<Name>): CommandSpec<Name> {
  return spec
}

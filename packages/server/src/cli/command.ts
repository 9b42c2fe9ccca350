import { type Phrase, type Say, SpokenError } from '@postrider/domain'
import type { CommandWords } from '../control/socket.ts'
import type { Administration } from '../administration.ts'
import type { Loaded } from '../config/load.ts'
import { type Argument, type Placeholder, placeholders } from './placeholders.ts'

/** 0 done, 1 failed, 2 called wrongly, 3 the server is not running or not reachable. Scripts rely on them. */
export const ExitCode = { ok: 0, failed: 1, usage: 2, notRunning: 3 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The command was called wrongly. */
export class UsageError extends SpokenError {
  override readonly name = 'UsageError'
}
/** The command could not do its work; the message says why and what to do. */
export class CommandFailed extends SpokenError {
  override readonly name = 'CommandFailed'
  readonly code: string
  constructor(phrase: Phrase, code = 'failed') {
    super(phrase)
    this.code = code
  }
}

export interface OptionSpec {
  /** Undefined for a switch without a value. */
  readonly value?: Placeholder
  readonly many?: boolean
  readonly help: Phrase
}

/** What every command says about itself; `--help` is made of it. */
export interface CommandHead {
  /** `user add` */
  readonly name: string
  readonly summary: Phrase
  readonly arguments: readonly Argument[]
  readonly options: Readonly<Record<string, OptionSpec>>
  /** More lines for --help: examples. */
  readonly notes?: readonly Phrase[]
}

/** A command of the administrator. It runs in the server when one runs, else here over the data folder itself. */
export interface AdminCommand<Result> extends CommandHead {
  /** `server`: makes no sense without a running one. */
  readonly where: 'either' | 'server'
  /** Asks for the password it needs, before it is sent anywhere. Answers undefined when it needs none. */
  readonly secret?: (words: Words, terminal: Terminal, say: Say) => Promise<string | undefined>
  /** `say` speaks to whoever called, also from the server; results stay the same in every language. */
  run(administration: Administration, words: Words, say: Say): Promise<Result>
  /** The result for people; --json prints the result itself. */
  text(result: Result, say: Say): string
}
/** A command that runs in this process, whatever runs elsewhere. Answers its exit code. */
export interface LocalCommand extends CommandHead {
  readonly where: 'here'
  run(
    words: Words,
    context: {
      readonly loaded: () => Loaded
      readonly terminal: Terminal
      readonly json: boolean
      readonly say: Say
    },
  ): Promise<ExitCode>
}
/** With the result type forgotten, so that all stand in one table. */
export type AnyCommand = AdminCommand<unknown> | LocalCommand

export function adminCommand<Result>(command: AdminCommand<Result>): AdminCommand<unknown> {
  return { ...command, text: (result, say) => command.text(result as Result, say) }
}

/** The outside of the program, so that tests can be the terminal. */
export interface Terminal {
  out(text: string): void
  error(text: string): void
  /** All of standard input. */
  input(): Promise<string>
  /** Asks without showing what is typed; undefined when there is no terminal. */
  askSecret(question: string): Promise<string | undefined>
  /** Shows this instead of what it showed before, in the last line of a terminal; '' takes it away. */
  status?(text: string): void
  /** Shows this instead of all that stands in the window; only a terminal has it. */
  redraw?(text: string): void
}

export const missing = (name: Placeholder): Phrase => ({
  en: `${placeholders[name].en} is missing.`,
  fr: `Il manque l’argument « ${placeholders[name].fr} ».`,
})

/** A command line, taken apart, with readers that say what is wrong. */
export class Words {
  readonly #words: CommandWords
  constructor(words: CommandWords) {
    this.#words = words
  }
  get secret(): string | undefined {
    return this.#words.secret
  }
  at(index: number): string | undefined {
    return this.#words.positionals[index]
  }
  /** A positional argument that must be there. */
  need(index: number, name: Placeholder): string {
    const word = this.at(index)
    if (word === undefined) throw new UsageError(missing(name))
    return word
  }
  rest(index: number): readonly string[] {
    return this.#words.positionals.slice(index)
  }
  has(option: string): boolean {
    return Object.hasOwn(this.#words.options, option)
  }
  flag(option: string): boolean {
    return this.#option(option) === true
  }
  value(option: string): string | undefined {
    const value = this.#option(option)
    return typeof value === 'string' ? value : undefined
  }
  many(option: string): readonly string[] | undefined {
    const value = this.#option(option)
    if (value === undefined || typeof value === 'boolean') return undefined
    return (typeof value === 'string' ? [value] : value).flatMap((one) => one.split(',')).filter((one) => one !== '')
  }
  #option(option: string): string | boolean | readonly string[] | undefined {
    return Object.hasOwn(this.#words.options, option) ? this.#words.options[option] : undefined
  }
}

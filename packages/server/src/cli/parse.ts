import { parseArgs } from 'node:util'
import type { Phrase, Say } from '@postrider/domain'
import type { CommandWords } from '../control/socket.ts'
import { type AnyCommand, type CommandHead, missing, type OptionSpec, UsageError } from './command.ts'
import { type Argument, placeholderOf, placeholders } from './placeholders.ts'

/** Options that every command has. */
export const commonOptions = {
  help: { help: { en: 'Shows this.', fr: 'Affiche ceci.' } },
  json: { help: { en: 'Prints the result as JSON.', fr: 'Affiche le résultat en JSON.' } },
} as const satisfies Readonly<Record<string, OptionSpec>>

/** The command whose name the arguments begin with, and the words after it. The longest name wins. */
export function findCommand(
  commands: readonly AnyCommand[],
  argv: readonly string[],
): { readonly command: AnyCommand; readonly rest: readonly string[] } | undefined {
  let best: { command: AnyCommand; rest: readonly string[] } | undefined
  for (const command of commands) {
    const name = command.name.split(' ')
    if (
      name.every((part, at) => argv[at] === part) &&
      (best === undefined || name.length > best.command.name.split(' ').length)
    )
      best = { command, rest: argv.slice(name.length) }
  }
  return best
}

/** Takes the words after a command's name apart. Throws UsageError. */
export function parseWords(
  head: CommandHead,
  argv: readonly string[],
): { readonly words: CommandWords; readonly help: boolean; readonly json: boolean } {
  const specs: Readonly<Record<string, OptionSpec>> = { ...head.options, ...commonOptions }
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      spec.value !== undefined
        ? { type: 'string' as const, multiple: spec.many ?? false }
        : { type: 'boolean' as const },
    ]),
  )
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({
      args: [...argv],
      options: { ...options, h: { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw new UsageError(plainer(error as NodeJS.ErrnoException))
  }
  const { help, json, h, ...given } = parsed.values
  const asked = help === true || h === true
  if (!asked) checkPositionals(head, parsed.positionals)
  const values = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string | boolean | string[]] => entry[1] !== undefined) as [
      string,
      string | boolean | readonly string[],
    ][],
  )
  return { words: { positionals: parsed.positionals, options: values }, help: asked, json: json === true }
}

/** What Node says about an option, without its advice; in French by its code. */
function plainer({ code, message }: NodeJS.ErrnoException): Phrase {
  const en = `${message.split('. To specify')[0]!.replace(/\.$/, '')}.`
  const option = /'(?:-\w, )?(--?[^' ]*)[^']*'/.exec(message)?.[1] ?? ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return { en, fr: `Option inconnue : ${option}.` }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
    return {
      en,
      fr: /not take/.test(message)
        ? `L’option ${option} ne prend pas de valeur.`
        : `Il manque la valeur de l’option ${option}, ou elle est ambiguë : écrivez ${option}=…`,
    }
  return { en, fr: `La ligne de commande ne se laisse pas lire : ${en}` }
}

function checkPositionals(head: CommandHead, given: readonly string[]): void {
  const many = head.arguments.some((name) => name.endsWith('…'))
  const needed = head.arguments.filter((name) => !name.endsWith('?') && !name.endsWith('…'))
  if (given.length < needed.length) throw new UsageError(missing(placeholderOf(needed[given.length]!)))
  if (!many && given.length > head.arguments.length)
    throw new UsageError({
      en: `'${given[head.arguments.length]}' is one word too many.`,
      fr: `« ${given[head.arguments.length]} » est de trop.`,
    })
}

function shown(argument: Argument, say: Say): string {
  const word = `<${say(placeholders[placeholderOf(argument)])}>`
  return argument.endsWith('?') ? `[${word}]` : argument.endsWith('…') ? `[${word}…]` : word
}

/** The text of `--help`. */
export function helpText(head: CommandHead, say: Say): string {
  const usage = ['postrider', head.name, ...head.arguments.map((one) => shown(one, say)), '[options]'].join(' ')
  const specs: Readonly<Record<string, OptionSpec>> = { ...head.options, ...commonOptions }
  const rows = Object.entries(specs).map(([name, { value, help }]) => [
    `--${name}${value === undefined ? '' : ` <${say(placeholders[value])}>`}`,
    say(help),
  ])
  const notes = head.notes === undefined ? '' : `\n\n${head.notes.map(say).join('\n')}`
  return `${say(head.summary)}\n\n${say(usageWord)} ${usage}\n\n${columns(rows)}${notes}`
}

export const usageWord: Phrase = { en: 'Usage:', fr: 'Usage :' }

/** Rows with their columns aligned, for people. */
export function columns(rows: readonly (readonly string[])[], indent = '  '): string {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows
    .map((row) =>
      (
        indent + row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]! + 2))).join('')
      ).trimEnd(),
    )
    .join('\n')
}

/** The commands whose names begin so, one line each. */
export function listText(commands: readonly CommandHead[], begin: string, say: Say): string {
  const chosen = commands.filter(
    (command) => begin === '' || command.name === begin || command.name.startsWith(`${begin} `),
  )
  return columns(
    chosen.map((command) => [
      `${command.name} ${command.arguments.map((one) => shown(one, say)).join(' ')}`.trim(),
      say(command.summary),
    ]),
  )
}

import { parseArgs } from 'node:util'
import type { CommandWords } from '../control/socket.ts'
import { type AnyCommand, type CommandHead, type OptionSpec, UsageError } from './command.ts'

/** Options that every command has. */
export const commonOptions = {
  help: { help: 'Shows this.' },
  json: { help: 'Prints the result as JSON.' },
} as const

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
    throw new UsageError(plainer((error as Error).message))
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

const plainer = (message: string): string => `${message.split('. To specify')[0]!.replace(/\.$/, '')}.`

function checkPositionals(head: CommandHead, given: readonly string[]): void {
  const many = head.arguments.some((name) => name.endsWith('…'))
  const needed = head.arguments.filter((name) => !name.endsWith('?') && !name.endsWith('…'))
  if (given.length < needed.length) throw new UsageError(`${needed[given.length]} is missing.`)
  if (!many && given.length > head.arguments.length)
    throw new UsageError(`'${given[head.arguments.length]}' is one word too many.`)
}

const shown = (name: string): string =>
  name.endsWith('?') ? `[<${name.slice(0, -1)}>]` : name.endsWith('…') ? `[<${name.slice(0, -1)}>…]` : `<${name}>`

/** The text of `--help`. */
export function helpText(head: CommandHead): string {
  const usage = ['postrider', head.name, ...head.arguments.map(shown), '[options]'].join(' ')
  const rows = Object.entries({ ...head.options, ...commonOptions }).map(([name, spec]) => [
    `--${name}${'value' in spec && spec.value !== undefined ? ` <${spec.value}>` : ''}`,
    spec.help,
  ])
  const notes = head.notes === undefined ? '' : `\n\n${head.notes.join('\n')}`
  return `${head.summary}\n\nUsage: ${usage}\n\n${columns(rows)}${notes}`
}

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
export function listText(commands: readonly CommandHead[], begin: string): string {
  const chosen = commands.filter(
    (command) => begin === '' || command.name === begin || command.name.startsWith(`${begin} `),
  )
  return columns(
    chosen.map((command) => [`${command.name} ${command.arguments.map(shown).join(' ')}`.trim(), command.summary]),
  )
}

import { DirectoryError, DomainError } from '@postrider/domain'
import { CertificateError } from '../certificate/index.ts'
import { ConfigError, type Environment, loadConfig } from '../config/load.ts'
import { FolderInUse } from '../control/lock.ts'
import { askServer, type CommandWords, type ControlAnswer, type ControlRequest, NotRunning } from '../control/socket.ts'
import { withOfflineAdministration } from '../offline.ts'
import { TransferError } from '../transfer/types.ts'
import { version } from '../version.ts'
import {
  type AdminCommand,
  type AnyCommand,
  CommandFailed,
  ExitCode,
  type Terminal,
  UsageError,
  Words,
} from './command.ts'
import { columns, findCommand, helpText, listText, parseWords } from './parse.ts'

/** A start or another command holds the data folder for a moment: worth waiting for, ms. */
const PATIENCE_MS = 10_000

/** One call of the program. Answers its exit code; prints everything itself. */
export async function runCli(
  commands: readonly AnyCommand[],
  argv: readonly string[],
  terminal: Terminal,
  env: Environment = process.env,
): Promise<ExitCode> {
  const json = argv.includes('--json')
  try {
    return await dispatch(commands, argv, terminal, env)
  } catch (error) {
    const { exit, code, message } = explain(error)
    if (json) terminal.out(JSON.stringify({ error: { code, message } }))
    else terminal.error(`postrider: ${message}`)
    return exit
  }
}

async function dispatch(
  commands: readonly AnyCommand[],
  argv: readonly string[],
  terminal: Terminal,
  env: Environment,
): Promise<ExitCode> {
  const found = findCommand(commands, argv)
  if (found === undefined) return withoutCommand(commands, argv, terminal)
  const { command, rest } = found
  let parsed: ReturnType<typeof parseWords>
  try {
    parsed = parseWords(command, rest)
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${error.message} See: postrider ${command.name} --help`)
    throw error
  }
  if (parsed.help) {
    terminal.out(helpText(command))
    return ExitCode.ok
  }
  const loaded = () => loadConfig(env)
  const words = new Words(parsed.words)
  if (command.where === 'here') return command.run(words, { loaded, terminal, json: parsed.json })
  const secret = await command.secret?.(words, terminal)
  const request = { command: command.name, words: secret === undefined ? parsed.words : { ...parsed.words, secret } }
  const result = await remoteOrHere(command, request, loaded)
  terminal.out(parsed.json ? JSON.stringify(result, null, 2) : command.text(result))
  return ExitCode.ok
}

function withoutCommand(commands: readonly AnyCommand[], argv: readonly string[], terminal: Terminal): ExitCode {
  const [first = '--help'] = argv
  if (first === '--version' || first === 'version') {
    terminal.out(`postrider ${version}`)
    return ExitCode.ok
  }
  const groups = new Set(commands.map((command) => command.name.split(' ')[0]))
  const group = groups.has(first) ? argv.filter((word) => !word.startsWith('-')).join(' ') : ''
  const listed = listText(commands, group) || listText(commands, first)
  const help = ['--help', '-h', 'help'].includes(argv.at(-1) ?? '--help')
  if (!help && !groups.has(first))
    throw new UsageError(`there is no command '${first}'. \`postrider --help\` lists all.`)
  const variables = columns([
    ['POSTRIDER_DATA', 'Data folder.'],
    ['POSTRIDER_CONFIG', 'Configuration file, if not postrider.json in the data folder.'],
    ['POSTRIDER_PORT_BASE', 'First of eight ports: https, imaps, imap, pop3s, pop3, smtp, submission, submissions.'],
    ['POSTRIDER_BIND', 'IP addresses to listen on, with commas.'],
    ['POSTRIDER_READY_FILE', 'Written when the server listens.'],
  ])
  const text = `Usage: postrider <command> [--help] [--json]\n\n${listed}`
  const whole =
    group === ''
      ? `${text}\n\nEnvironment:\n${variables}\n\nExit codes: 0 done, 1 failed, 2 called wrongly, 3 server not running.`
      : text
  if (help) terminal.out(whole)
  else terminal.error(`postrider: which one?\n\n${whole}`)
  return help ? ExitCode.ok : ExitCode.usage
}

async function remoteOrHere(
  command: AdminCommand<unknown>,
  request: ControlRequest,
  loaded: () => ReturnType<typeof loadConfig>,
): Promise<unknown> {
  const configuration = loaded()
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return unwrap(await askServer(configuration.dataFolder, request))
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error
      if (command.where === 'server') throw error
    }
    try {
      return await withOfflineAdministration(configuration, (administration) =>
        command.run(administration, new Words(request.words)),
      )
    } catch (error) {
      // Somebody starts, stops or administers right now: ask again, the server may answer next time.
      if (!(error instanceof FolderInUse) || performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function unwrap(answer: ControlAnswer): unknown {
  if (answer.ok) return answer.result
  if (answer.code === 'usage') throw new UsageError(answer.message)
  if (answer.code === 'notRunning') throw new NotRunning(answer.message)
  throw new CommandFailed(answer.message, answer.code)
}

/** The server's side: runs a command that came over the control socket. Never rejects. */
export async function answerControl(
  commands: readonly AnyCommand[],
  request: ControlRequest,
  run: (command: AdminCommand<unknown>, words: CommandWords) => Promise<unknown>,
): Promise<ControlAnswer> {
  try {
    const command = commands.find((one) => one.name === request.command)
    if (command === undefined || command.where === 'here')
      throw new UsageError(`The running server has no command '${request.command}': it is of another version.`)
    return { ok: true, result: (await run(command, request.words)) ?? null }
  } catch (error) {
    const { code, message } = explain(error)
    return { ok: false, code, message }
  }
}

/** What an error means to whoever called the program. */
function explain(error: unknown): { readonly exit: ExitCode; readonly code: string; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) return { exit: ExitCode.usage, code: 'usage', message }
  if (error instanceof NotRunning)
    return { exit: ExitCode.notRunning, code: 'notRunning', message: `${message} To start it: postrider start` }
  if (error instanceof FolderInUse)
    return { exit: ExitCode.failed, code: 'inUse', message: `${message} See: postrider status` }
  if (error instanceof TransferError) return { exit: ExitCode.failed, code: 'transfer', message }
  if (error instanceof CommandFailed || error instanceof DirectoryError || error instanceof DomainError)
    return { exit: ExitCode.failed, code: error.code, message }
  if (error instanceof ConfigError)
    return { exit: ExitCode.failed, code: 'config', message: `the configuration is wrong:\n${message}` }
  if (error instanceof CertificateError) return { exit: ExitCode.failed, code: 'certificate', message }
  return { exit: ExitCode.failed, code: 'failed', message }
}

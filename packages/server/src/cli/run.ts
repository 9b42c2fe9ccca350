import { DirectoryError, DomainError, type Phrase, type Say, speaker, verbatim } from '@postrider/domain'
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
import { callerLanguage } from './language.ts'
import { columns, findCommand, helpText, listText, parseWords, usageWord } from './parse.ts'
import { reasonOf } from './reasons.ts'

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
  // Programs read the same whoever called them.
  const say = speaker(json ? 'en' : callerLanguage(env))
  try {
    return await dispatch(commands, argv, terminal, env, say)
  } catch (error) {
    const { exit, code, phrase } = explain(error)
    const message = say(phrase)
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
  say: Say,
): Promise<ExitCode> {
  const found = findCommand(commands, argv)
  if (found === undefined) return withoutCommand(commands, argv, terminal, say)
  const { command, rest } = found
  let parsed: ReturnType<typeof parseWords>
  try {
    parsed = parseWords(command, rest)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { en, fr } = error.phrase
    throw new UsageError({
      en: `${en} See: postrider ${command.name} --help`,
      fr: `${fr} Voir : postrider ${command.name} --help`,
    })
  }
  if (parsed.help) {
    terminal.out(helpText(command, say))
    return ExitCode.ok
  }
  const loaded = () => loadConfig(env)
  const words = new Words(parsed.words)
  if (command.where === 'here') return command.run(words, { loaded, terminal, json: parsed.json, say })
  const secret = await command.secret?.(words, terminal, say)
  const given = secret === undefined ? parsed.words : { ...parsed.words, secret }
  const request = { command: command.name, words: given, language: say.language }
  const result = await remoteOrHere(command, request, loaded, say)
  terminal.out(parsed.json ? JSON.stringify(result, null, 2) : command.text(result, say))
  return ExitCode.ok
}

const variables: Readonly<Record<string, Phrase>> = {
  POSTRIDER_DATA: { en: 'Data folder.', fr: 'Dossier de données.' },
  POSTRIDER_CONFIG: {
    en: 'Configuration file, if not postrider.json in the data folder.',
    fr: 'Fichier de configuration, si ce n’est pas postrider.json du dossier de données.',
  },
  POSTRIDER_PORT_BASE: {
    en: 'First of eight ports: https, imaps, imap, pop3s, pop3, smtp, submission, submissions.',
    fr: 'Premier de huit ports : https, imaps, imap, pop3s, pop3, smtp, submission, submissions.',
  },
  POSTRIDER_BIND: {
    en: 'IP addresses to listen on, with commas.',
    fr: 'Adresses IP à écouter, séparées par des virgules.',
  },
  POSTRIDER_READY_FILE: { en: 'Written when the server listens.', fr: 'Écrit quand le serveur est à l’écoute.' },
  POSTRIDER_LANGUAGE: {
    en: 'en or fr: language of this program’s texts, if not that of LC_ALL, LC_MESSAGES or LANG.',
    fr: 'en ou fr : langue des textes de ce programme, si ce n’est pas celle de LC_ALL, LC_MESSAGES ou LANG.',
  },
}
const environment: Phrase = { en: 'Environment:', fr: 'Environnement :' }
const exitCodes: Phrase = {
  en: 'Exit codes: 0 done, 1 failed, 2 called wrongly, 3 server not running.',
  fr: 'Codes de sortie : 0 fait, 1 échec, 2 appel incorrect, 3 serveur arrêté.',
}

function withoutCommand(
  commands: readonly AnyCommand[],
  argv: readonly string[],
  terminal: Terminal,
  say: Say,
): ExitCode {
  const [first = '--help'] = argv
  if (first === '--version' || first === 'version') {
    terminal.out(`postrider ${version}`)
    return ExitCode.ok
  }
  const groups = new Set(commands.map((command) => command.name.split(' ')[0]))
  const group = groups.has(first) ? argv.filter((word) => !word.startsWith('-')).join(' ') : ''
  const listed = listText(commands, group, say) || listText(commands, first, say)
  const help = ['--help', '-h', 'help'].includes(argv.at(-1) ?? '--help')
  if (!help && !groups.has(first))
    throw new UsageError({
      en: `there is no command '${first}'. \`postrider --help\` lists all.`,
      fr: `il n’y a pas de commande « ${first} ». \`postrider --help\` les donne toutes.`,
    })
  const text = `${say(usageWord)} postrider <${say({ en: 'command', fr: 'commande' })}> [--help] [--json]\n\n${listed}`
  const rows = Object.entries(variables).map(([name, meaning]) => [name, say(meaning)])
  const whole = group === '' ? `${text}\n\n${say(environment)}\n${columns(rows)}\n\n${say(exitCodes)}` : text
  if (help) terminal.out(whole)
  else terminal.error(`postrider: ${say({ en: 'which one?', fr: 'laquelle ?' })}\n\n${whole}`)
  return help ? ExitCode.ok : ExitCode.usage
}

async function remoteOrHere(
  command: AdminCommand<unknown>,
  request: ControlRequest,
  loaded: () => ReturnType<typeof loadConfig>,
  say: Say,
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
        command.run(administration, new Words(request.words), say),
      )
    } catch (error) {
      // Somebody starts, stops or administers right now: ask again, the server may answer next time.
      if (!(error instanceof FolderInUse) || performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The result of a command that ran in the server; throws what it failed with, as here. */
export function unwrap(answer: ControlAnswer): unknown {
  if (answer.ok) return answer.result
  // The server says it in our language.
  const said = verbatim(answer.message)
  if (answer.code === 'usage') throw new UsageError(said)
  if (answer.code === 'notRunning') throw new NotRunning(said)
  throw new CommandFailed(said, answer.code)
}

/** The server's side: runs a command that came over the control socket. Never rejects. */
export async function answerControl(
  commands: readonly AnyCommand[],
  request: ControlRequest,
  run: (command: AdminCommand<unknown>, words: CommandWords, say: Say) => Promise<unknown>,
): Promise<ControlAnswer> {
  const say = speaker(request.language ?? 'en')
  try {
    const command = commands.find((one) => one.name === request.command)
    if (command === undefined || command.where === 'here')
      throw new UsageError({
        en: `The running server has no command '${request.command}': it is of another version.`,
        fr: `Le serveur en marche n’a pas de commande « ${request.command} » : il est d’une autre version.`,
      })
    return { ok: true, result: (await run(command, request.words, say)) ?? null }
  } catch (error) {
    const { code, phrase } = explain(error)
    return { ok: false, code, message: say(phrase) }
  }
}

/** What an error means to whoever called the program. */
function explain(error: unknown): { readonly exit: ExitCode; readonly code: string; readonly phrase: Phrase } {
  const phrase = reasonOf(error)
  const { en, fr } = phrase
  if (error instanceof UsageError) return { exit: ExitCode.usage, code: 'usage', phrase }
  if (error instanceof NotRunning)
    return {
      exit: ExitCode.notRunning,
      code: 'notRunning',
      phrase: { en: `${en} To start it: postrider start`, fr: `${fr} Pour le démarrer : postrider start` },
    }
  if (error instanceof FolderInUse)
    return {
      exit: ExitCode.failed,
      code: 'inUse',
      phrase: { en: `${en} See: postrider status`, fr: `${fr} Voir : postrider status` },
    }
  if (error instanceof TransferError) return { exit: ExitCode.failed, code: 'transfer', phrase }
  if (error instanceof CommandFailed || error instanceof DirectoryError || error instanceof DomainError)
    return { exit: ExitCode.failed, code: error.code, phrase }
  if (error instanceof ConfigError)
    return {
      exit: ExitCode.failed,
      code: 'config',
      phrase: { en: `the configuration is wrong:\n${en}`, fr: `la configuration est incorrecte :\n${fr}` },
    }
  if (error instanceof CertificateError) return { exit: ExitCode.failed, code: 'certificate', phrase }
  return { exit: ExitCode.failed, code: 'failed', phrase }
}

import type { Say, SpokenError } from '@postrider/domain'
import { ExitCode, type LocalCommand, type Terminal } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import type { ListenerName } from '../config/settings.ts'
import { FIRST_ACCOUNTS, firstAdministrator, firstMailbox } from '../first-start.ts'
import { type Program, startProgram } from '../program.ts'
import { reachableAddress } from '../listeners/reachable.ts'
import { roleOf, startStandby } from '../standby/index.ts'
import { version } from '../version.ts'

/** This command is one of them. */
const allCommands = async () => (await import('./index.ts')).commands

export const start: LocalCommand = {
  name: 'start',
  summary: {
    en: 'Runs the server until it is told to stop (Ctrl-C, SIGTERM). SIGHUP reloads.',
    fr: 'Fait tourner le serveur jusqu’à ce qu’on l’arrête (Ctrl-C, SIGTERM). SIGHUP recharge.',
  },
  arguments: [],
  options: {},
  notes: [
    {
      en: 'At first start it makes a certificate, an Administrator and a first mailbox, and prints how to use them.',
      fr: 'Au premier démarrage, il crée un certificat, un administrateur et une première boîte, et affiche comment s’en servir.',
    },
  ],
  where: 'here',
  async run(_words, { loaded, terminal, json, say }) {
    const signals = listenToSignals(terminal, say)
    if (roleOf(loaded()) === 'standby') {
      const standby = await startStandby(loaded(), await allCommands())
      terminal.out(
        json
          ? JSON.stringify({ pid: process.pid, standby: standby.listens })
          : say({
              en: `This server is a standby; its primary reaches it at ${standby.listens}.`,
              fr: `Ce serveur est un secours ; son primaire le joint à ${standby.listens}.`,
            }),
      )
      if (await signals.before(standby.promoted)) {
        await standby.stop()
        return ExitCode.ok
      }
    }
    const program = await startProgram(loaded())
    catchAll(program)
    if (json) terminal.out(JSON.stringify({ pid: process.pid, listeners: places(program) }))
    else terminal.out(banner(program, say))
    const replaced = await signals.serve(program)
    if (replaced === undefined) return ExitCode.ok
    terminal.error(`postrider: ${say(replaced.phrase)}`)
    return ExitCode.failed
  },
}

const places = (program: Program): Record<string, { host: string; port: number }> =>
  Object.fromEntries([...program.listening].map(([name, { host, port }]) => [name, { host, port }]))

/** One mistake in one session must not end all others: it is logged, and the session's own time-outs clean up behind it. */
function catchAll({ log }: Program): void {
  process.on('uncaughtException', (error) => log.error({ err: error }, 'an error that nobody caught'))
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection that nobody caught'))
}

/** npm passes signals to a shell that dies of them alone: a server of `npm start` ends with its npm. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, ORPHAN_LOOK_MS)
  timer.unref()
}
const ORPHAN_LOOK_MS = 250

/** A second wish to stop counts from then on. */
const TWICE_MS = 1_000

/**
 * From the first moment on: a signal nobody listens to ends the process there and then, and whoever waits for READY or the ready file may
 * send one at once. What comes too early is done when the server has started.
 */
function listenToSignals(
  terminal: Terminal,
  say: Say,
): {
  /** Whether a wish to stop came first. */
  before(other: Promise<void>): Promise<boolean>
  /** Answers why the server had to end, if nobody asked it to. */
  serve(program: Program): Promise<SpokenError | undefined>
} {
  let reload = (): void => {
    early = true
  }
  let early = false
  const wish = Promise.withResolvers<NodeJS.Signals>()
  process.on('SIGHUP', () => reload())
  let asked: number | undefined
  const stop = (signal: NodeJS.Signals): void => {
    // One Ctrl-C may come twice: from the terminal, and passed on by npm.
    if (asked !== undefined && performance.now() - asked < TWICE_MS) return
    if (asked !== undefined) {
      terminal.error(say({ en: 'Stopping at once.', fr: 'Arrêt immédiat.' }))
      process.exit(ExitCode.failed)
    }
    asked = performance.now()
    wish.resolve(signal)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (process.env.npm_lifecycle_event !== undefined) whenOrphaned(() => stop('SIGTERM'))
  return {
    before: (other) => Promise.race([wish.promise.then(() => true), other.then(() => false)]),
    async serve(program) {
      reload = () =>
        void program
          .reload()
          .catch((error: unknown) => program.log.error({ err: error }, 'the reload failed, all stays as it was'))
      if (early) reload()
      const signal = await Promise.race([wish.promise, program.replaced])
      if (typeof signal === 'string') program.log.info({ signal }, 'asked to stop')
      else program.log.error({ reason: signal.message }, 'another server has taken over: this one ends')
      await program.stop()
      return typeof signal === 'string' ? undefined : signal
    },
  }
}

/** What a newcomer needs: what to type into a phone and a mail program. */
function banner(program: Program, say: Say): string {
  const { dataFolder } = program.loaded
  const host = program.loaded.config.hostName || reachableAddress(program.loaded.config['listeners.address'])
  const port = (name: ListenerName): string => {
    const at = program.listening.get(name)?.port
    return at === undefined ? say({ en: 'off', fr: 'non offert' }) : `${host}:${at}`
  }
  const mailbox = firstMailbox(dataFolder)
  const administrator = firstAdministrator(dataFolder)
  const show = program.firstStart
  const file = `${dataFolder}/${FIRST_ACCOUNTS}`
  const kept = say({ en: `kept in ${file}`, fr: `gardé dans ${file}` })
  const password = say({ en: 'password:', fr: 'mot de passe :' })
  const rows: [string, string][] = [
    [
      say({ en: 'Phone', fr: 'Téléphone' }),
      say({
        en: `add an Exchange (ActiveSync) account; server ${port('https')}`,
        fr: `ajoutez un compte Exchange (ActiveSync) ; serveur ${port('https')}`,
      }),
    ],
    [
      say({ en: 'Mail program', fr: 'Logiciel de messagerie' }),
      `IMAP ${port('imaps')}, POP ${port('pop3s')}, SMTP ${port('submissions')} (SSL/TLS)`,
    ],
    [say({ en: 'Web page', fr: 'Page web' }), `https://${port('https')}/`],
  ]
  if (mailbox !== undefined)
    rows.push([
      say({ en: 'First mailbox', fr: 'Première boîte' }),
      `${mailbox.address}  ${password} ${show ? mailbox.password : kept}`,
    ])
  if (administrator !== undefined && show)
    rows.push([
      say({ en: 'Administrator', fr: 'Administrateur' }),
      `${administrator.address}  ${password} ${administrator.password}`,
    ])
  if (show) rows.push(['', say({ en: `(shown now only; ${kept})`, fr: `(montré seulement maintenant ; ${kept})` })])
  rows.push(
    [say({ en: 'Certificate', fr: 'Certificat' }), `SHA-256 ${program.certificate.fingerprint}`],
    [
      say({ en: 'Next', fr: 'Ensuite' }),
      'npx postrider demo · npx postrider user add bob@example.com · npx postrider doctor',
    ],
  )
  const title = say({ en: `Postrider ${version} is ready.`, fr: `Postrider ${version} est prêt.` })
  return `\n${title}\n\n${columns(rows)}\n`
}

import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Language, languages, type Logger, type MailboxService, type Phrase, SpokenError } from '@postrider/domain'
import { Caller, serveChannel, streamChannel } from '@postrider/link'
import { FrameReader, frame } from './frames.ts'
import { withSocketPath } from './socket-path.ts'

/** What the CLI asks of a running server: a command's name and its words, as typed. */
export interface ControlRequest {
  readonly command: string
  readonly words: CommandWords
  /** Of whoever asks: texts made by the server come in it. An older program says none and reads English. */
  readonly language?: Language
}
/** The parsed command line, the same whether the command runs here or in the server. */
export interface CommandWords {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | readonly string[]>>
  /** A password read from the terminal or standard input: never an argument that others could see. */
  readonly secret?: string
}
export type ControlAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** Nobody listens: the server is not running, or it is starting or stopping. */
export class NotRunning extends SpokenError {
  override readonly name = 'NotRunning'
}

const nobody = (folder: string): Phrase => ({
  en: `No postrider runs with the data folder ${folder}.`,
  fr: `Aucun postrider ne tourne sur le dossier de données ${folder}.`,
})

const FILE = 'control.sock'
/** A request that turns its connection into a channel to the mailboxes. */
export const LINK = 'link'
/** Opens the mailboxes for one connection; `close` is called when it ends. */
export type OpenLink = (
  words: CommandWords,
  language: Language,
) => {
  readonly answer: ControlAnswer
  readonly service?: MailboxService
  close?(): void
}

/**
 * The control socket: only the owner of the data folder can connect (0600 in a 0700 folder). The folder's lock is held, so whatever
 * socket file lies there is a dead one.
 */
export async function serveControl(
  folder: string,
  answer: (request: ControlRequest) => Promise<ControlAnswer>,
  log: Logger,
  link?: OpenLink,
): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const reader = new FrameReader()
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    const take = (chunk: Buffer): void => {
      try {
        for (const request of reader.push(chunk)) {
          if (link !== undefined && isRequest(request) && request.command === LINK) {
            socket.off('data', take)
            attach(socket, link(request.words, request.language ?? 'en'), log)
            return
          }
          void reply(socket, request)
        }
      } catch (error) {
        log.warn({ error: String(error) }, 'nonsense on the control socket')
        socket.destroy()
      }
    }
    socket.on('data', take)
  })
  async function reply(socket: Socket, request: unknown): Promise<void> {
    const result = isRequest(request)
      ? await answer(request)
      : {
          ok: false,
          code: 'usage',
          message: 'This is no request of this version: use the postrider of the same installation.',
        }
    socket.write(frame(result))
  }
  await withSocketPath(folder, FILE, async (path) => {
    rmSync(path, { force: true })
    await listen(server, path)
    chmodSync(path, 0o600)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroySoon()
        rmSync(join(folder, FILE), { force: true })
      }),
  }
}

/** Answers, and from then on serves the mailboxes over the socket. */
function attach(socket: Socket, opened: ReturnType<OpenLink>, log: Logger): void {
  socket.on('close', () => opened.close?.())
  socket.write(frame(opened.answer))
  if (opened.service === undefined) socket.end()
  else serveChannel(opened.service, streamChannel(socket), { log })
}

/** Connects to the mailboxes of the running server. Rejects with NotRunning when nobody answers. */
export function linkServer(
  folder: string,
  words: CommandWords,
  language: Language,
): Promise<{ readonly answer: ControlAnswer; readonly service: MailboxService; close(): void }> {
  return withSocketPath(
    folder,
    FILE,
    (path) =>
      new Promise<{ answer: ControlAnswer; service: MailboxService; close(): void }>((resolve, reject) => {
        const reader = new FrameReader()
        const socket = connect(path)
        const gone = (): void => reject(new NotRunning(nobody(folder)))
        socket.once('error', gone)
        socket.once('close', gone)
        socket.on('connect', () => socket.write(frame({ command: LINK, words, language } satisfies ControlRequest)))
        const take = (chunk: Buffer): void => {
          const [answer] = reader.push(chunk)
          if (answer === undefined) return
          socket.off('data', take)
          const caller = new Caller()
          caller.attach(streamChannel(socket))
          resolve({ answer: answer as ControlAnswer, service: caller.service, close: () => caller.close() })
        }
        socket.on('data', take)
      }),
  )
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function isRequest(value: unknown): value is ControlRequest {
  if (typeof value !== 'object' || value === null || !('command' in value) || !('words' in value)) return false
  const { command, words } = value
  if ('language' in value && !languages.some((one) => one === value.language)) return false
  if (typeof command !== 'string' || typeof words !== 'object' || words === null) return false
  if (!('positionals' in words) || !Array.isArray(words.positionals)) return false
  return (
    words.positionals.every((word) => typeof word === 'string') &&
    'options' in words &&
    typeof words.options === 'object'
  )
}

/** Asks the running server. Rejects with NotRunning when nobody answers. */
export function askServer(folder: string, request: ControlRequest): Promise<ControlAnswer> {
  return withSocketPath(
    folder,
    FILE,
    (path) =>
      new Promise<ControlAnswer>((resolve, reject) => {
        const reader = new FrameReader()
        const socket = connect(path)
        const gone = (detail: Phrase): void => reject(new NotRunning(detail))
        socket.on('connect', () => socket.write(frame(request)))
        socket.on('data', (chunk: Buffer) => {
          const [first] = reader.push(chunk)
          if (first === undefined) return
          resolve(first as ControlAnswer)
          socket.destroy()
        })
        socket.on('error', (error: NodeJS.ErrnoException) =>
          error.code === 'EACCES' || error.code === 'EPERM'
            ? gone({
                en: `The server belongs to another user: run this as the owner of ${folder}.`,
                fr: `Le serveur appartient à un autre utilisateur : lancez ceci sous le compte propriétaire de ${folder}.`,
              })
            : gone(nobody(folder)),
        )
        socket.on('close', () =>
          gone({
            en: 'The server ended before it answered.',
            fr: 'Le serveur s’est arrêté avant d’avoir répondu.',
          }),
        )
      }),
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EACCES')
      throw new NotRunning({
        en: `There is no data folder ${folder}.`,
        fr: `Il n’y a pas de dossier de données ${folder}.`,
      })
    throw error
  })
}

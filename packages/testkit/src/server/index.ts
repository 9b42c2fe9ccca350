/**
 * The real program, as an administrator starts it: its own process, data folder and ports, the ready file read back. Tests and
 * benchmarks drive it from outside and may kill it at any time.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
export { accessProcesses, childrenOf, heldBy, holderOf } from './processes.ts'
import { freePorts, type RunResult, run, start, temporaryFolder, until } from '../process/index.ts'

export type ListenerName = 'https' | 'imaps' | 'imap' | 'pop3s' | 'pop3' | 'smtp' | 'submission' | 'submissions'

/** What the program writes when it listens. */
export interface ReadyFile {
  readonly pid: number
  readonly listeners: Readonly<Record<ListenerName, { readonly host: string; readonly port: number }>>
  readonly mailbox: { readonly address: string; readonly password: string }
}

export interface ServerOptions {
  /** The data folder; default one of its own, removed at the end. */
  readonly folder?: string
  /** The configuration file of the data folder; POSTRIDER_TEST_CONFIG (JSON) adds what it does not say. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly readyMs?: number
  /** It follows another server: it is started when it says so, and listens only after `serves`. */
  readonly follows?: boolean
  /** Stands before the command of the server itself: another network, another user. It must become that process. */
  readonly inside?: readonly string[]
}

const root = resolve(import.meta.dirname, '..', '..', '..', '..')
const main = join(root, 'packages', 'server', 'src', 'main.ts')
const LISTENERS = 8
/** Characters kept of what a server writes: tests count lines in it, so under load nothing may fall out of the window. */
const MAX_OUTPUT = 50_000_000

export class TestServer {
  readonly folder: string
  readonly #portBase: number
  /** May be changed between an end and a restart. */
  options: ServerOptions
  readonly #dispose: () => void
  #child: ChildProcess | undefined
  #ready: ReadyFile | undefined
  #file = ''
  #ended: () => boolean = () => true
  /** Everything it wrote, for the message of a failing test. */
  output = ''

  private constructor(folder: string, dispose: () => void, portBase: number, options: ServerOptions) {
    this.folder = folder
    this.#dispose = dispose
    this.#portBase = portBase
    this.options = options
  }

  /** Starts a server of its own and waits until it listens. */
  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const own = options.folder === undefined ? temporaryFolder('server') : undefined
    const folder = options.folder ?? own?.path ?? ''
    mkdirSync(folder, { recursive: true })
    const server = new TestServer(folder, () => own?.[Symbol.dispose](), await freePorts(LISTENERS), options)
    const everywhere = JSON.parse(process.env.POSTRIDER_TEST_CONFIG ?? '{}') as Readonly<Record<string, unknown>>
    if (options.config !== undefined || Object.keys(everywhere).length > 0)
      writeFileSync(join(folder, 'postrider.json'), JSON.stringify({ ...everywhere, ...options.config }))
    await server.restart()
    return server
  }

  get ready(): ReadyFile {
    if (this.#ready === undefined) throw new Error('the server is not running')
    return this.#ready
  }
  get pid(): number {
    return this.ready.pid
  }
  port(name: ListenerName): number {
    return this.ready.listeners[name].port
  }

  get env(): Record<string, string> {
    return {
      POSTRIDER_DATA: this.folder,
      POSTRIDER_PORT_BASE: String(this.#portBase),
      POSTRIDER_READY_FILE: join(this.folder, 'ready.json'),
      POSTRIDER_BIND: '127.0.0.1',
      POSTRIDER_LANGUAGE: 'en',
      ...this.options.env,
    }
  }

  /** Starts it again over the same data folder. Answers how long it took until it listened, ms. */
  async restart(): Promise<number> {
    const file = join(this.folder, 'ready.json')
    rmSync(file, { force: true })
    const began = performance.now()
    const [program = '', ...args] = [...(this.options.inside ?? []), process.execPath, main, 'start']
    const child = start(program, args, { env: this.env })
    this.#child = child
    let ended = false
    child.once('exit', () => {
      ended = true
    })
    const keep = (text: Buffer): void => {
      this.output = (this.output + text.toString()).slice(-MAX_OUTPUT)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const { follows = false, readyMs = 30_000 } = this.options
    this.#file = file
    this.#ended = () => ended
    try {
      if (follows) {
        const from = this.output.length
        await until('the server follows', () => ended || this.output.includes('postrider follows', from), readyMs)
        if (ended) throw new Error('the server ended at start')
      } else await this.serves(readyMs)
    } catch (error) {
      child.kill('SIGKILL')
      throw new Error(`${String(error)}\n${this.output}`)
    }
    return performance.now() - began
  }

  /** Waits until it listens; a standby does after its promotion. Rejects when it ended. */
  async serves(timeoutMs: number): Promise<void> {
    const answer = await until(
      'the server listens',
      () => (this.#ended() ? ('ended' as const) : (JSON.parse(readFileSync(this.#file, 'utf8')) as ReadyFile)),
      timeoutMs,
    )
    if (answer === 'ended') throw new Error('the server ended at start')
    this.#ready = answer
  }

  /** Waits until it has ended by itself. Answers the exit code. */
  async ends(timeoutMs: number): Promise<number | null> {
    await until('the server ends', () => this.#ended(), timeoutMs)
    return this.#child?.exitCode ?? null
  }

  /** A command of the program against this server: `command('user', 'add', …)`. */
  command(args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    return run(process.execPath, [main, ...args], { env: { ...this.env, ...env }, input })
  }

  async addUser(address: string, password: string, ...more: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.command(
      ['user', 'add', address, '--password-stdin', ...more],
      `${password}\n`,
    )
    if (code !== 0) throw new Error(`user add ${address}: exit ${code}\n${stdout}${stderr}`)
  }

  /** Ends it as an administrator would, and waits. Answers the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const { promise, resolve } = Promise.withResolvers<number | null>()
    child.once('exit', (code) => resolve(code))
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const code = await promise
    clearTimeout(timer)
    this.#ready = undefined
    return code
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#dispose()
  }
}

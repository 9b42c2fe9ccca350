import type { ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../programs/index.ts'
import { freePorts, run, start, temporaryFolder, until } from '../process/index.ts'

export interface PostgresPeer {
  readonly port: number
  /** Makes an empty database; answers its address, password included. */
  createDatabase(): Promise<string>
  /** Runs SQL as the superuser; answers what psql prints, unaligned. */
  sql(database: string, text: string): Promise<string>
  /** Kills the server as a power cut would (its children end by themselves). */
  kill(): Promise<void>
  /** Starts it again after `kill`, and waits until it answers. */
  restart(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const USER = 'postrider'
const PASSWORD = 'in front of @ behind'
/** Debian keeps the programs of each version in a folder of its own. */
const VERSIONS = '/usr/lib/postgresql'

/** The folder with the programs of the newest version. */
export function postgresPrograms(): string {
  const [newest] = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))
  return join(VERSIONS, newest ?? '', 'bin')
}

/** How to run a program as the server's own user: it refuses root. Nothing stands between us and the process, so a signal reaches it. */
export async function unprivileged(folder: string): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return []
  const ids = await Promise.all(['-u', '-g'].map((kind) => run('id', [kind, 'postgres'])))
  const [uid, gid] = ids.map(({ stdout }) => Number(stdout)) as [number, number]
  chownSync(folder, uid, gid)
  return [findProgram('setpriv') ?? 'setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
}

/**
 * A PostgreSQL server of its own on loopback, in a temporary folder, with passwords (SCRAM) and its defaults for durability. Needs Debian's
 * package `postgresql`.
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresPeer> {
  const folder = temporaryFolder('postgres')
  const port = await freePorts(1)
  chmodSync(folder.path, 0o755)
  const data = join(folder.path, 'data')
  const password = join(folder.path, 'password')
  mkdirSync(data)
  writeFileSync(password, `${PASSWORD}\n`)
  const as = await unprivileged(data)
  const bin = postgresPrograms()
  const [program = '', ...args] = [
    ...as,
    ...[join(bin, 'initdb'), '-D', data, '-A', 'scram-sha-256', '-U', USER, `--pwfile=${password}`],
    ...['-E', 'UTF8', '--locale=C', '--no-instructions'],
  ]
  const made = await run(program, args, { cwd: '/' })
  if (made.code !== 0) throw new Error(made.stderr)
  const options = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  let child: ChildProcess | undefined
  const ended = async (): Promise<void> => {
    const leaving = child
    if (leaving === undefined || leaving.exitCode !== null || leaving.signalCode !== null) return
    await new Promise((resolve) => leaving.once('exit', resolve))
  }
  const psql = (database: string, text: string) =>
    run(join(bin, 'psql'), ['-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', database, '-XAtc', text], {
      env: { PGPASSWORD: PASSWORD },
    })
  const sql = async (database: string, text: string): Promise<string> => {
    const { code, stdout, stderr } = await psql(database, text)
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  const restart = (): Promise<void> =>
    until(
      'PostgreSQL answers',
      async () => {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
          const [first = '', ...rest] = [...as, join(bin, 'postgres'), '-D', data, ...flags]
          child = start(first, rest, { cwd: '/' })
          child.stdout?.resume()
          child.stderr?.resume()
        }
        return (await psql('postgres', 'SELECT 1')).code === 0
      },
      30_000,
    ).then(() => undefined)
  await restart()
  let databases = 0
  return {
    port,
    async createDatabase() {
      const name = `mail${++databases}`
      await sql('postgres', `CREATE DATABASE ${name}`)
      return `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${name}`
    },
    sql,
    async kill() {
      child?.kill('SIGKILL')
      await ended()
    },
    restart,
    async [Symbol.asyncDispose]() {
      child?.kill('SIGQUIT')
      await ended()
      folder[Symbol.dispose]()
    },
  }
}

import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, run, start, temporaryFolder, until } from '../process/index.ts'
import { postgresPrograms, unprivileged } from './postgres.ts'

/** Two PostgreSQL servers in synchronous replication, kept by Patroni with etcd, all on loopback. */
export interface PatroniPeer {
  /** One address with both servers, for a fresh database. */
  createDatabase(): Promise<string>
  /** Port of the server that takes writes; undefined while there is none, or while it has no synchronous standby. */
  leader(): Promise<number | undefined>
  /** Port of the server that takes writes, with a standby or without. */
  leading(): Promise<number | undefined>
  /** Kills the leader with its Patroni, as a power cut of its machine would. */
  killLeader(): Promise<void>
  /** Starts the killed one again; it comes back as a standby. */
  restart(): void
  readonly output: () => string
  [Symbol.asyncDispose](): Promise<void>
}

interface Node {
  readonly name: string
  readonly port: number
  readonly rest: number
  readonly data: string
  readonly file: string
  child: ChildProcess | undefined
}
interface Member {
  readonly name: string
  readonly role: string
  readonly state: string
}

const PASSWORD = 'postrider-secret'
/** Patroni takes no less than 20 s. */
const TTL_S = 20
const READY_MS = 120_000

/** Needs Debian's packages patroni, etcd-server and postgresql. */
export async function startPatroni(): Promise<PatroniPeer> {
  const folder = temporaryFolder('patroni')
  chmodSync(folder.path, 0o755)
  const ports = await freePorts(6)
  let output = ''
  const keep = (child: ChildProcess): ChildProcess => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => {
        output = (output + text.toString()).slice(-100_000)
      })
    return child
  }
  const client = `http://127.0.0.1:${ports}`
  const peer = `http://127.0.0.1:${ports + 1}`
  const etcd = keep(
    start('etcd', [
      ...['--name', 'one', '--data-dir', join(folder.path, 'etcd'), '--log-level', 'error'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`],
    ]),
  )
  const nodes: Node[] = []
  for (const at of [0, 1]) {
    const home = join(folder.path, `node${at}`)
    mkdirSync(home)
    nodes.push({
      name: `node${at}`,
      port: ports + 2 + at,
      rest: ports + 4 + at,
      data: join(home, 'data'),
      file: join(home, 'patroni.json'),
      child: undefined,
    })
  }
  let as: readonly string[] = []
  for (const { name, port, rest, data, file } of nodes) {
    // JSON is YAML.
    const users = Object.fromEntries(
      ['superuser', 'replication', 'rewind'].map((kind) => [
        kind,
        { username: kind === 'superuser' ? 'postgres' : kind, password: PASSWORD },
      ]),
    )
    const settings = {
      scope: 'mail',
      name,
      restapi: { listen: `127.0.0.1:${rest}`, connect_address: `127.0.0.1:${rest}` },
      etcd3: { host: `127.0.0.1:${ports}` },
      bootstrap: {
        dcs: {
          ttl: TTL_S,
          loop_wait: 2,
          retry_timeout: 3,
          maximum_lag_on_failover: 1_048_576,
          synchronous_mode: true,
          postgresql: {
            use_pg_rewind: true,
            parameters: { wal_level: 'replica', hot_standby: 'on', max_wal_senders: 5 },
          },
        },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C' }],
        pg_hba: ['host all all 127.0.0.1/32 scram-sha-256', 'host replication replication 127.0.0.1/32 scram-sha-256'],
      },
      postgresql: {
        listen: `127.0.0.1:${port}`,
        connect_address: `127.0.0.1:${port}`,
        data_dir: data,
        bin_dir: postgresPrograms(),
        pgpass: join(folder.path, name, 'pgpass'),
        authentication: users,
        parameters: { unix_socket_directories: '' },
      },
    }
    writeFileSync(file, JSON.stringify(settings), { mode: 0o644 })
    as = await unprivileged(join(folder.path, name))
  }
  const launch = (node: Node): void => {
    const [program = '', ...args] = [...as, 'patroni', node.file]
    node.child = keep(start(program, args, { cwd: '/' }))
  }
  await until('etcd answers', async () => (await fetch(`${client}/health`)).ok, 30_000)
  for (const node of nodes) launch(node)
  const members = async (): Promise<readonly Member[]> => {
    for (const { rest } of nodes) {
      try {
        const answer = await fetch(`http://127.0.0.1:${rest}/cluster`, { signal: AbortSignal.timeout(2_000) })
        return ((await answer.json()) as { readonly members: readonly Member[] }).members
      } catch {}
    }
    return []
  }
  const leading = async (): Promise<Node | undefined> => {
    const list = await members()
    const leader = list.find(({ role, state }) => role === 'leader' && state === 'running')
    return nodes.find(({ name }) => name === leader?.name)
  }
  const leader = async (): Promise<number | undefined> => {
    const standby = (await members()).some(({ role }) => role === 'sync_standby')
    return standby ? (await leading())?.port : undefined
  }
  const postmasterOf = (node: Node): number | undefined => {
    try {
      return Number(readFileSync(join(node.data, 'postmaster.pid'), 'utf8').split('\n')[0])
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return undefined
    }
  }
  let killed: Node | undefined
  const kill = async (node: Node): Promise<void> => {
    const { child } = node
    const postmaster = postmasterOf(node)
    child?.kill('SIGKILL')
    // It may just be down: Patroni starts and stops it.
    if (postmaster !== undefined) process.kill(postmaster, 'SIGKILL')
    if (child !== undefined && child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once('exit', resolve))
  }
  const peerOf: PatroniPeer = {
    async createDatabase() {
      const port = await until('a leader with a synchronous standby', leader, READY_MS).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${output}`)
      })
      const { code, stderr } = await run(
        join(postgresPrograms(), 'psql'),
        ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres', '-XAtc', 'CREATE DATABASE mail'],
        { env: { PGPASSWORD: PASSWORD } },
      )
      if (code !== 0) throw new Error(stderr)
      return `postgres://postgres:${PASSWORD}@${nodes.map((node) => `127.0.0.1:${node.port}`).join()}/mail`
    },
    leader,
    leading: async () => (await leading())?.port,
    async killLeader() {
      killed = await leading()
      if (killed === undefined) throw new Error('there is no leader')
      await kill(killed)
    },
    restart() {
      if (killed !== undefined) launch(killed)
    },
    output: () => output,
    async [Symbol.asyncDispose]() {
      // A Patroni that is gone first starts nothing any more.
      for (const node of nodes) node.child?.kill('SIGKILL')
      for (const node of nodes) await kill(node).catch(() => undefined)
      etcd.kill('SIGKILL')
      folder[Symbol.dispose]()
    },
  }
  return peerOf
}

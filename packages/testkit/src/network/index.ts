/**
 * Two machines on one: network namespaces of their own, joined by a wire that can be cut, each reached from here by another. In: nothing; out: how to start a
 * program in one, and ways to its ports on 127.0.0.1. Needs root and iproute2. Invariant: nothing is left when it is disposed of; what a
 * killed run left behind is removed by the next.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { without } from '../programs/index.ts'

const PREFIX = 'postrider'
/** Addresses for measurements, RFC 2544 appendix C.2.2: in nobody's network. A wire takes four of them. */
const WIRES = 1 << 15
const ATTEMPTS = 20

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}
const quietly = (...args: string[]): boolean => spawnSync('ip', args).status === 0

/** For `test(name, { skip: withoutNamespaces() }, …)`: false when namespaces can be made here, else why not. */
export function withoutNamespaces(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux'
  const missing = without('ip')
  if (missing !== false) return missing
  const name = `${PREFIX}-${process.pid}-try`
  const works =
    quietly('netns', 'add', name) &&
    quietly('-n', name, 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1') &&
    quietly('netns', 'exec', name, 'true')
  quietly('netns', 'del', name)
  return works ? false : 'network namespaces cannot be made here'
}

/** One of the machines. */
export interface Machine {
  /** Put before a command it runs in there. */
  readonly inside: readonly string[]
  /** Address on the wire between the two. */
  readonly address: string
  /** Makes 127.0.0.1 here lead to the same port there. */
  open(port: number): Promise<void>
}

export interface Network {
  readonly machines: readonly [Machine, Machine]
  /** Cuts the wire between the two, or joins it again: packets are lost, nobody is told. */
  wire(isWhole: boolean): void
  [Symbol.dispose](): void
}

/** Removes what runs that were killed have left. */
function sweep(): void {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
  for (const [name, pid] of stdout.matchAll(new RegExp(`^${PREFIX}-(\\d+)-\\w+`, 'gm')))
    if (!existsSync(`/proc/${pid}`)) quietly('netns', 'del', name)
}

export function makeNetwork(): Network {
  sweep()
  const names = ['a', 'b'].map((one) => `${PREFIX}-${process.pid}-${one}`) as [string, string]
  const relays: Server[] = []
  const sockets = new Set<Socket>()
  const dispose = (): void => {
    for (const relay of relays) relay.close()
    for (const socket of sockets) socket.destroy()
    // Their ends of the wires go with them.
    for (const name of names) quietly('netns', 'del', name)
  }
  try {
    for (const name of names) {
      ip('netns', 'add', name)
      ip('-n', name, 'link', 'set', 'lo', 'up')
    }
    const [one, two] = names
    ip('-n', one, 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', two)
    const machine = (name: string, at: number): Machine => {
      const address = `10.0.0.${at + 1}`
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'wire')
      ip('-n', name, 'link', 'set', 'wire', 'up')
      const reached = join(name, `pr${process.pid}${'ab'[at]}`)
      return { inside: ['ip', 'netns', 'exec', name], address, open: (port) => relay(reached, port) }
    }
    return {
      machines: [machine(one, 0), machine(two, 1)],
      wire: (isWhole) => ip('-n', one, 'link', 'set', 'wire', isWhole ? 'up' : 'down'),
      [Symbol.dispose]: dispose,
    }
  } catch (error) {
    dispose()
    throw error
  }

  function relay(host: string, port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ host, port, allowHalfOpen: true, noDelay: true })
      near.setNoDelay()
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    relays.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  }
}

/** A wire from here into a namespace. Answers the address at its other end. */
function join(name: string, link: string): string {
  ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'here', 'netns', name)
  ip('link', 'set', link, 'up')
  ip('-n', name, 'link', 'set', 'here', 'up')
  for (let attempt = 1; ; attempt++) {
    const four = Math.floor(Math.random() * WIRES) * 4
    const address = (at: number): string =>
      `198.${18 + ((four + at) >> 16)}.${((four + at) >> 8) & 255}.${(four + at) & 255}`
    // Another run may have the same four: the kernel would take both.
    const { stdout } = spawnSync('ip', ['route', 'show', `${address(0)}/30`], { encoding: 'utf8' })
    if (stdout.trim() !== '' && attempt < ATTEMPTS) continue
    ip('addr', 'add', `${address(1)}/30`, 'dev', link)
    ip('-n', name, 'addr', 'add', `${address(2)}/30`, 'dev', 'here')
    return address(2)
  }
}

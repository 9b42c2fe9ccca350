import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { TestServer } from './index.ts'

/** The server's children whose command line has `part` in it (Linux): owners, client-access processes. */
export function childrenOf(server: TestServer, part: string): number[] {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ')
  return children.map(Number).filter((pid) => pid > 0 && commandOf(pid).includes(part))
}
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // just gone
  }
}

export const accessProcesses = (server: TestServer): number[] => childrenOf(server, 'access')

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')

/** Which of the processes has the other end of a connection to 127.0.0.1: by the kernel's table of sockets. */
export function holderOf(pids: readonly number[], serverPort: number, ourPort: number): number | undefined {
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((one) => one.trim().split(/\s+/))
    .find(([, local = '', remote = '']) => local.endsWith(`:${hex(serverPort)}`) && remote.endsWith(`:${hex(ourPort)}`))
  const inode = line?.[9]
  return inode === undefined ? undefined : pids.find((pid) => socketsOf(pid).has(`socket:[${inode}]`))
}

/** Established connections to a port of this machine, by the process that has the server's end. */
export function heldBy(pids: readonly number[], serverPort: number): Map<number, number> {
  const inodes = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((one) => one.trim().split(/\s+/))
    .filter(([, local = '', , state]) => local.endsWith(`:${hex(serverPort)}`) && state === '01')
    .map((fields) => `socket:[${fields[9]}]`)
  return new Map(
    pids.map((pid) => {
      const own = socketsOf(pid)
      return [pid, inodes.filter((one) => own.has(one)).length]
    }),
  )
}

function socketsOf(pid: number): Set<string> {
  try {
    return new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return new Set() // just gone
  }
}
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)]
  } catch {
    return [] // closed meanwhile
  }
}

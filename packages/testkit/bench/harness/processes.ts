import { readdirSync, readFileSync } from 'node:fs'
import { run } from '../../src/process/index.ts'

/** Proportional set size, bytes, of a process and of everything it started. */
export function memory(pid: number): number {
  let sum = 0
  for (const one of family(pid)) {
    try {
      sum += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1_024
    } catch {
      // It ended meanwhile.
    }
  }
  return sum
}

/** Processor time so far of a process and of everything it started, ms: /proc, in ticks of 10 ms. */
export function processorTime(pid: number): number {
  let sum = 0
  for (const one of family(pid)) {
    const fields = statOf(one)
    sum += (Number(fields[11]) + Number(fields[12])) * 10
  }
  return sum
}

/** Fields of /proc/PID/stat behind the name. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function family(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statOf(Number(name))[1] ?? 0))
  }
  const found = [pid]
  for (let i = 0; i < found.length; i++) {
    for (const [child, parent] of parents) if (parent === found[i]) found.push(child)
  }
  return found
}

/** Takes files below a folder out of the page cache, and only them: nobody else on the machine pays. */
export async function dropFromCache(folder: string, pattern = '*'): Promise<void> {
  const script = 'sync -f "$0"; find "$0" -type f -name "$1" -exec dd if={} iflag=nocache count=0 status=none \\;'
  const { code, stderr } = await run('sh', ['-c', script, folder, pattern], { timeoutMs: 120_000 })
  if (code !== 0) throw new Error(`${folder}: ${stderr}`)
}

import type { Terminal } from '../cli/command.ts'

const EVERY_MS = 200
const JSON_EVERY_MS = 1_000
const WIDTH = 24

/** How far a long command is: a bar at a terminal, a line of JSON a second with --json, else nothing. */
export function progressBar(
  terminal: Terminal,
  json: boolean,
  now: () => number = () => performance.now(),
): { show(done: number, text: string, facts: Record<string, unknown>): void; end(): void } {
  let last = Number.NEGATIVE_INFINITY
  return {
    show(done, text, facts) {
      const at = now()
      if (at - last < (json ? JSON_EVERY_MS : EVERY_MS)) return
      last = at
      if (json) {
        terminal.out(JSON.stringify({ progress: { ...facts, done: Math.round(done * 1000) / 1000 } }))
        return
      }
      const full = Math.round(done * WIDTH)
      const percent = String(Math.floor(done * 100)).padStart(3)
      terminal.status?.(`[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${percent} %  ${text}`)
    },
    end() {
      if (!json) terminal.status?.('')
    },
  }
}

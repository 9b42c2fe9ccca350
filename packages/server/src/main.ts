import { enableCompileCache } from 'node:module'
import { resolve } from 'node:path'

// Whatever is written, mail above all, is the owner's alone.
process.umask(0o077)

// Types are stripped once per version of a file, not at every start: half the start time and a third less memory. Where the
// installation cannot be written to, Node goes on without.
if (process.env.NODE_COMPILE_CACHE === undefined) {
  const cache = resolve(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'postrider')
  enableCompileCache(cache)
  // For the owner's thread.
  process.env.NODE_COMPILE_CACHE = cache
}

// The reader of a pipe may go away before us: `postrider user list | head -1`.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const { runCli } = await import('./cli/run.ts')
const { processTerminal } = await import('./cli/terminal.ts')
const { commands } = await import('./commands/index.ts')
process.exitCode = await runCli(commands, process.argv.slice(2), processTerminal)
// Everything is closed now. A peer that keeps a socket in the middle of something must not keep the process.
setTimeout(() => process.exit(), 2_000).unref()

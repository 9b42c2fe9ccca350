import { runCli } from './cli/run.ts'
import { processTerminal } from './cli/terminal.ts'
import { commands } from './commands/index.ts'

// Whatever is written, mail above all, is the owner's alone.
process.umask(0o077)
process.exitCode = await runCli(commands, process.argv.slice(2), processTerminal)

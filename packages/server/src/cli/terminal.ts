import { createInterface } from 'node:readline'
import type { Terminal } from './command.ts'

/** Standard input larger than this is not a password or a list of names. */
const MAX_INPUT = 1_048_576

export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
  async input() {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_INPUT) throw new Error('standard input is too long')
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  },
  status(text) {
    if (!process.stderr.isTTY) return
    const width = (process.stderr.columns ?? 80) - 1
    process.stderr.write(`\r\u001b[K${text.slice(0, width).replace(/[\u0000-\u001f\u007f]/g, ' ')}`)
  },
  ...(process.stdout.isTTY ? { redraw: (text: string) => void process.stdout.write(`\u001b[H\u001b[J${text}\n`) } : {}),
  async askSecret(question) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
    process.stderr.write(question)
    const lines = createInterface({ input: process.stdin, terminal: true })
    try {
      return await new Promise<string>((resolve) => lines.once('line', resolve))
    } finally {
      lines.close()
      process.stderr.write('\n')
    }
  },
}

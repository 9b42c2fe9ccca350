import { readFileSync } from 'node:fs'

/** Of this installation, as package.json says. */
export const version: string = (() => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
})()

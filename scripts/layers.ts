/**
 * Holds the arrows between packages: wire ← domain ← {store, link, transport, protocols} ← server; protocols are siblings; a package
 * is entered through its index only; testkit only from tests. The browser client (webmail) imports nothing of the server, and what runs in
 * the browser nothing of Node (of wire, the two folders that are written for both). Reads imports as text. Fails when it sees suspiciously few modules.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const packages = join(root, 'packages')
const FEWEST_MODULES = 100

/** Who may import whom. */
const arrows: ReadonlyMap<string, readonly string[]> = new Map([
  ['wire', []],
  ['domain', ['wire']],
  ['store', ['wire', 'domain']],
  ['link', ['domain']],
  ['transport', ['wire', 'domain']],
  ['protocols', ['wire', 'domain']],
  ['webmail', ['wire']],
  ['server', ['wire', 'domain', 'store', 'link', 'transport', 'protocols', 'webmail']],
  ['testkit', ['wire', 'domain']],
])
/** What the browser's modules may import besides themselves. */
const browserLibraries =
  /^(?:@postrider\/wire\/(?:html|smime)|preact(?:\/hooks)?|@preact\/signals(?:-core)?|squire-rte)$/
/** Tests may look further: they put real neighbours together. */
const testArrows = ['wire', 'domain', 'store', 'link', 'transport', 'protocols', 'testkit', 'webmail', 'server']

function* modules(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* modules(path)
    else if (/\.tsx?$/.test(entry.name)) yield path
  }
}

/** Formatted code has every import's `from '…'` at the end of a line; strings in prose are not there. */
const importPattern = /^(?:import|export|\}).*\bfrom '([^']+)'$|^import '([^']+)'$|\bimport\('([^']+)'\)/gm

const faults: string[] = []
let count = 0
for (const file of modules(packages)) {
  count++
  const [name = ''] = relative(packages, file).split('/')
  const here = relative(root, file)
  const isTest = /\.(test|bench)\.ts$/.test(file) || /\/(test|bench|contract)\//.test(file)
  const inBrowser = !isTest && here.startsWith('packages/webmail/src/client/')
  const allowed = arrows.get(name)
  if (allowed === undefined) {
    faults.push(`${here}: package ${name} has no arrows; add it to scripts/layers.ts`)
    continue
  }
  for (const match of readFileSync(file, 'utf8').matchAll(importPattern)) {
    const target = match[1] ?? match[2] ?? match[3] ?? ''
    if (target.startsWith('.')) {
      const to = relative(packages, resolve(dirname(file), target)).split('/')
      if (to[0] !== name) faults.push(`${here}: leaves its package by a path: ${target}`)
      const from = relative(packages, file).split('/')
      // protocols/src/<protocol>/…: siblings never meet.
      if (name === 'protocols' && !isTest && from[2] !== to[2])
        faults.push(`${here}: a protocol imports its sibling: ${target}`)
    } else if (target.startsWith('@postrider/')) {
      const to = target.split('/')[1] ?? ''
      if (to === name) faults.push(`${here}: imports its own package by name: ${target}`)
      else if (!(isTest || name === 'testkit' ? testArrows : allowed).includes(to))
        faults.push(`${here}: ${name} may not import ${target}`)
      else if (inBrowser && !browserLibraries.test(target))
        faults.push(`${here}: the browser client may not import ${target}`)
    } else if (!target.startsWith('node:') && name === 'wire' && !isTest)
      faults.push(`${here}: wire uses no library: ${target}`)
    else if (inBrowser && !browserLibraries.test(target))
      faults.push(`${here}: the browser client may not import ${target}`)
  }
}
if (count < FEWEST_MODULES) faults.push(`only ${count} modules seen: the check is not looking where the code is`)
for (const fault of faults) console.error(fault)
console.log(`layers: ${count} modules, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1

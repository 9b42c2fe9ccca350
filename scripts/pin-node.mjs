/**
 * The last step of `npm ci`, run by whatever Node the machine has: sees to it that `node_modules/.bin/node` is the pinned one. npm 9, which
 * Debian 12 has, makes no link when two optional packages bring the same command and the first of them is for another processor.
 */
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

const modules = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', 'node_modules')
const pinned = join(`node-${process.platform}-${process.arch}`, 'bin', 'node')
const link = join(modules, '.bin', 'node')
if (existsSync(join(modules, pinned)) && !existsSync(link)) {
  mkdirSync(join(modules, '.bin'), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(join('..', pinned), link)
}

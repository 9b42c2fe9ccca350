/**
 * Builds the container image from the Containerfile, unchanged, with buildah; no daemon and no registry is needed.
 *
 *   node packages/server/packaging/container.ts [--tag postrider] [--storage FOLDER] [--base] [--fast]
 *
 * --base makes the image that the Containerfile begins with by debootstrap, from the mirror this machine's apt uses, where no registry can be
 * reached; without it buildah pulls it. --storage keeps all images in a folder of their own (default: where buildah has them). --fast does not
 * compress the package. Needs `npm ci` before, root, buildah, dpkg-deb, for --base debootstrap. Prints the id of the image.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const here = import.meta.dirname
const CONTAINERFILE = join(here, 'Containerfile')
const SUITE = 'bookworm'

const { values } = parseArgs({
  options: {
    tag: { type: 'string', default: 'postrider' },
    storage: { type: 'string' },
    base: { type: 'boolean' },
    fast: { type: 'boolean' },
  },
})

/** What a program writes to its standard output. Throws when it fails. */
function run(program: string, ...args: string[]): string {
  const ended = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
  })
  if (ended.error !== undefined) throw ended.error
  if (ended.status !== 0)
    throw new Error(`${program} ${args[0]} ended with ${ended.status}: ${ended.stdout.slice(-2_000)}`)
  return ended.stdout.trim()
}

/** chroot and vfs work everywhere, in a container and on any file system, too. */
const storage =
  values.storage === undefined
    ? []
    : ['--root', join(resolve(values.storage), 'images'), '--runroot', join(resolve(values.storage), 'run')]
const buildah = (...args: string[]): string => run('buildah', ...storage, '--storage-driver', 'vfs', ...args)

/** Where this machine's apt gets Debian from. */
function mirror(): string {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...readdirSync(folder).map((name) => join(folder, name))]
  for (const file of files) {
    let text = ''
    try {
      text = readFileSync(file, 'utf8')
    } catch {
      continue
    }
    const found = /^(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s+)?)(\S+\/debian\/?)(?:\s|$)/m.exec(text)?.[1]
    if (found !== undefined) return found
  }
  throw new Error('apt has no Debian mirror here.')
}

/** Debian's smallest system under the name that the Containerfile asks for. */
function makeBase(folder: string, name: string): void {
  const system = join(folder, 'base')
  run('debootstrap', '--variant=minbase', SUITE, system, mirror())
  const cache = join(system, 'var/cache/apt/archives')
  for (const name of readdirSync(cache)) if (name.endsWith('.deb')) rmSync(join(cache, name))
  const container = buildah('from', 'scratch')
  buildah('add', '-q', container, system, '/')
  buildah('commit', '-q', '--rm', container, name)
}

const folder = mkdtempSync(join(tmpdir(), 'postrider-container-'))
try {
  const context = join(folder, 'context')
  run(process.execPath, join(here, 'deb.ts'), '--to', context, ...(values.fast === true ? ['--fast'] : []))
  const base = /^FROM (\S+)$/m.exec(readFileSync(CONTAINERFILE, 'utf8'))?.[1]
  if (base === undefined) throw new Error('The Containerfile begins with no image.')
  if (values.base === true) makeBase(folder, base)
  buildah(
    'bud',
    ...['--isolation', 'chroot', '--layers=false', '--format', 'docker'],
    ...(values.base === true ? ['--pull-never'] : []),
    ...['--ignorefile', `${CONTAINERFILE}.dockerignore`, '-f', CONTAINERFILE, '-t', values.tag],
    context,
  )
  console.log(buildah('images', '-q', values.tag))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

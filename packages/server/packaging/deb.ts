/**
 * Makes the Debian package: the sources (there is no build step), the libraries of production, and the Node they run on, below
 * /usr/lib/postrider; the command, the systemd unit and the documents where Debian has them.
 *
 *   node packages/server/packaging/deb.ts [--to FOLDER] [--fast]
 *
 * Needs `npm ci` before, and dpkg-deb. --fast compresses nothing. Prints the path of the package.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dirname, '../../..')
const debian = join(import.meta.dirname, 'debian')
const INSTALLED = 'usr/lib/postrider'
/** Debian's name of an architecture, by Node's. */
const architectures = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
])
/** Not part of the program: only tests use it. */
const testPackages = ['testkit']
const nodePackage = `node-${process.platform}-${process.arch}`

interface LockEntry {
  readonly dev?: boolean
  readonly link?: boolean
  readonly resolved?: string
}

const text = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Libraries and workspace packages that the running server uses and this machine has. */
function production(): string[] {
  const lock = JSON.parse(text('package-lock.json')) as { readonly packages: Readonly<Record<string, LockEntry>> }
  return Object.entries(lock.packages).flatMap(([path, { dev }]) =>
    path !== '' && dev !== true && existsSync(join(root, path)) && !testPackages.includes(basename(path)) ? [path] : [],
  )
}

/** Sources without what only tests need; of Node only the program itself. */
const wanted = (from: string): boolean =>
  !/\.(?:test|bench)\.ts$/.test(from) &&
  !/\/packages\/.*\/(?:test|bench|contract|packaging|systemd|node_modules)$/.test(from) &&
  !(from.includes(`/${nodePackage}/`) && /\/(?:include|share)$/.test(from))

function stage(folder: string, version: string, architecture: string): void {
  const target = join(folder, INSTALLED)
  for (const path of production())
    cpSync(join(root, path), join(target, path), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (from) => wanted(from),
    })
  mkdirSync(join(target, 'node_modules/.bin'), { recursive: true })
  cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'))
  spawnSync('ln', ['-s', `../${nodePackage}/bin/node`, join(target, 'node_modules/.bin/node')])

  const put = (path: string, content: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
    chmodSync(join(folder, path), mode)
  }
  const unit = text('packages/server/systemd/postrider.service')
    .replace(/^#.*\n/gm, '')
    .replaceAll('/opt/postrider/docs', '/usr/share/doc/postrider')
    .replaceAll('/opt/postrider', `/${INSTALLED}`)
  put('usr/lib/systemd/system/postrider.service', unit)
  put('usr/bin/postrider', readFileSync(join(debian, 'postrider'), 'utf8'), 0o755)
  for (const name of ['README.md', 'CHANGELOG.md', 'SECURITY.md']) put(`usr/share/doc/postrider/${name}`, text(name))
  cpSync(join(root, 'docs'), join(folder, 'usr/share/doc/postrider'), { recursive: true })
  put('usr/share/doc/postrider/copyright', `Postrider\nLicense: Apache-2.0\n\n${text('LICENSE')}`)
  for (const name of ['postinst', 'prerm', 'postrm'])
    put(`DEBIAN/${name}`, readFileSync(join(debian, name), 'utf8'), 0o755)
  const kilobytes = spawnSync('du', ['-sk', folder], { encoding: 'utf8' }).stdout.split('\t')[0]
  put('DEBIAN/control', control(version, architecture, kilobytes ?? '0'))
}

/** deb-control(5). What Node is linked with, and the tools of the maintainer scripts. */
const control = (version: string, architecture: string, kilobytes: string): string =>
  `Package: postrider
Version: ${version}
Architecture: ${architecture}
Maintainer: The Postrider developers <postmaster@example.com>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 8), libatomic1, passwd, util-linux, ca-certificates
Provides: imap-server, pop3-server
Section: mail
Priority: optional
Description: mail and mobile access server
 One program gives every device the user's mail, calendar, contacts, tasks and
 notes: Exchange ActiveSync with push, IMAP4, POP3, SMTP, JMAP and a web client,
 over one durable mailbox engine.
`

/** Makes the package in `to`; answers its path. Throws when something is missing. */
function build(to: string, fast: boolean): string {
  const { version } = JSON.parse(text('packages/server/package.json')) as { readonly version: string }
  const architecture = architectures.get(process.arch)
  if (architecture === undefined || !existsSync(join(root, 'node_modules', nodePackage)))
    throw new Error(`There is no Node for ${process.platform} ${process.arch} in node_modules: run npm ci.`)
  const folder = mkdtempSync(join(tmpdir(), 'postrider-deb-'))
  try {
    chmodSync(folder, 0o755)
    stage(folder, version, architecture)
    mkdirSync(to, { recursive: true })
    const path = join(to, `postrider_${version}_${architecture}.deb`)
    const compression = fast ? ['-Znone'] : ['-Zxz']
    const made = spawnSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', folder, path], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (made.error !== undefined) throw made.error
    if (made.status !== 0) throw new Error(`dpkg-deb ended with ${made.status}`)
    return path
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { values } = parseArgs({ options: { to: { type: 'string', default: '.' }, fast: { type: 'boolean' } } })
console.log(build(resolve(values.to), values.fast === true))

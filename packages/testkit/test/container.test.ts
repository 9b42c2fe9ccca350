/**
 * The container. Without a base image: what the Containerfile takes, names and starts is in the package. By hand, as root, with buildah and
 * debootstrap (POSTRIDER_CONTAINER=1; POSTRIDER_CONTAINER_STORAGE: a folder with images of a run before): built unchanged, run twice.
 */
import assert from 'node:assert/strict'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { freePorts, run, start, temporaryFolder, until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'

const packaging = resolve(import.meta.dirname, '../../server/packaging')
const containerfile = readFileSync(join(packaging, 'Containerfile'), 'utf8').replaceAll(/\\\n/g, '')
/** The words of an instruction that stands there once. */
function instruction(name: string): string {
  const found = [...containerfile.matchAll(new RegExp(`^${name} (.+)$`, 'gm'))]
  assert.ok(found.length > 0, name)
  return found.at(-1)?.[1] ?? ''
}
const words = (name: string): string[] => JSON.parse(instruction(name).replace(/^[^[]*/, '')) as string[]
const LIMIT_MS = 120_000

test('the Containerfile fits the package: what it installs, who runs it, what it starts, where data lies', {
  skip: without('dpkg-deb'),
  timeout: 300_000,
}, async () => {
  using folder = temporaryFolder('container')
  const context = join(folder.path, 'context')
  const made = await run(process.execPath, [join(packaging, 'deb.ts'), '--to', context, '--fast'], {
    timeoutMs: LIMIT_MS,
  })
  assert.equal(made.code, 0, made.stderr)
  const install = instruction('RUN')
  const pattern = /\/build\/(\S+\.deb)/.exec(install)?.[1] ?? ''
  const files = readdirSync(context)
  assert.deepEqual(
    files.filter((name) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name)),
    files,
  )
  const ignored = readFileSync(join(packaging, 'Containerfile.dockerignore'), 'utf8').trim().split('\n')
  assert.deepEqual(
    ignored.filter((line) => !line.startsWith('#')),
    ['*', `!${pattern}`],
  )
  assert.equal((await run('sh', ['-n', '-c', install.replace(/^--mount=\S+ /, '')])).code, 0)

  const tree = join(folder.path, 'tree')
  assert.equal((await run('dpkg-deb', ['--raw-extract', join(context, files[0]!), tree])).code, 0)
  const [command = ''] = words('ENTRYPOINT')
  assert.ok(existsSync(join(tree, 'usr/bin', command)))
  assert.equal(words('HEALTHCHECK')[0], command)
  // The package's own script leaves an account that is there alone.
  const [uid, gid] = instruction('USER').split(':')
  assert.match(install, new RegExp(`groupadd .*--gid ${gid} postrider`))
  assert.match(install, new RegExp(`useradd .*--uid ${uid} .*--home-dir /var/lib/postrider .* postrider`))
  const postinst = readFileSync(join(tree, 'DEBIAN/postinst'), 'utf8')
  assert.match(postinst, /getent passwd postrider .*\|\|/)
  const data = /POSTRIDER_DATA=(\S+)/.exec(instruction('ENV'))?.[1] ?? ''
  assert.match(postinst, new RegExp(`install -d -o postrider -g postrider -m 0700 ${data}$`, 'm'))
  assert.match(containerfile, new RegExp(`^VOLUME ${data}$`, 'm'))
  const env = { POSTRIDER_DATA: join(folder.path, 'data') }
  const node = join(tree, 'usr/lib/postrider/node_modules/.bin/node')
  const main = join(tree, 'usr/lib/postrider/packages/server/src/main.ts')
  for (const [verb = ''] of [words('CMD'), words('HEALTHCHECK').slice(1)])
    assert.equal((await run(node, [main, verb, '--help'], { env })).code, 0, verb)
})

const byHand =
  process.env.POSTRIDER_CONTAINER === '1' ? without('buildah', 'debootstrap') : 'by hand: POSTRIDER_CONTAINER=1'

test('the image: built unchanged, run as nobody special, serves IMAP and HTTPS, keeps its volume', {
  skip: byHand,
  timeout: 900_000,
}, async () => {
  using folder = temporaryFolder('container')
  const kept = process.env.POSTRIDER_CONTAINER_STORAGE
  const storage = kept ?? join(folder.path, 'storage')
  const script = [
    join(packaging, 'container.ts'),
    '--storage',
    storage,
    '--fast',
    ...(kept === undefined ? ['--base'] : []),
  ]
  const built = await run(process.execPath, script, { timeoutMs: 800_000 })
  assert.equal(built.code, 0, built.stderr)
  const image = built.stdout.trim()
  const options = ['--root', join(storage, 'images'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs']
  const buildah = async (...args: string[]): Promise<string> => {
    const ended = await run('buildah', [...options, ...args], { timeoutMs: LIMIT_MS })
    assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.stderr}`)
    return ended.stdout.trim()
  }
  const config = JSON.parse(await buildah('inspect', '--type', 'image', image)).Docker.config as {
    readonly Entrypoint: string[]
    readonly Cmd: string[]
    readonly Healthcheck: { readonly Test: string[] }
    readonly User: string
  }
  const volume = join(folder.path, 'volume')
  mkdirSync(volume)
  const [uid = 0, gid = 0] = config.User.split(':').map(Number)
  assert.ok(uid > 0 && gid > 0)
  chownSync(volume, uid, gid)
  const port = await freePorts(8)
  for (const turn of [1, 2]) {
    // A container of its own each time: only the volume stays.
    const container = await buildah('from', '--pull-never', image)
    try {
      const inside = (...command: string[]): string[] => [
        ...['run', '--isolation', 'chroot', '-v', `${volume}:/var/lib/postrider`],
        ...['--env', `POSTRIDER_PORT_BASE=${port}`, container, '--', ...command],
      ]
      assert.match(await buildah(...inside('id')), new RegExp(`^uid=${uid}\\(postrider\\)`))
      const main = start('buildah', [...options, ...inside(...config.Entrypoint, ...config.Cmd)])
      let output = ''
      for (const stream of [main.stdout, main.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()))
      await until('it listens', () => output.includes('postrider listens') || main.exitCode !== null, LIMIT_MS)
      assert.equal(main.exitCode, null, output)
      const [how, ...health] = config.Healthcheck.Test
      assert.equal(how, 'CMD')
      const { listeners, ready, pid } = JSON.parse(await buildah(...inside(...health))) as {
        readonly listeners: Readonly<Record<string, { readonly port: number }>>
        readonly ready: boolean
        readonly pid: number
      }
      assert.ok(ready)
      assert.equal(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Uid:\s+(\d+)/m)?.[1], String(uid))
      assert.equal(await healthz(listeners.https!.port), 'ok')
      const { address, password } = firstMailbox(volume)
      const imap = await ImapClient.login(listeners.imaps!.port, address, password)
      if (turn === 1) {
        const mail = `From: ${address}\r\nSubject: kept\r\n\r\nkept\r\n`
        assert.equal((await imap.command(`APPEND Drafts {${mail.length}+}\r\n${mail}`)).status, 'OK')
      }
      assert.match((await imap.command('STATUS Drafts (MESSAGES)')).untagged.join(), /MESSAGES 1\b/)
      imap.close()
      // As its runtime stops a container: the only process there is hears it.
      process.kill(pid, 'SIGTERM')
      await until('it ends', () => main.exitCode !== null, LIMIT_MS)
      assert.equal(main.exitCode, 0, output)
      const gone = await run('buildah', [...options, ...inside(...health)], { timeoutMs: LIMIT_MS })
      assert.notEqual(gone.code, 0, 'without a server it is not healthy')
    } finally {
      await buildah('rm', container)
    }
  }
})

function firstMailbox(volume: string): { address: string; password: string } {
  return JSON.parse(readFileSync(join(volume, 'first-accounts.json'), 'utf8')).mailbox
}

function healthz(port: number): Promise<string> {
  return new Promise((answer, reject) => {
    const sent = request({ port, path: '/healthz', rejectUnauthorized: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => (text += part.toString()))
      response.on('end', () => answer(text.trim()))
    })
    sent.on('error', reject)
    sent.end()
  })
}

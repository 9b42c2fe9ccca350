/**
 * Puts the browser client together with esbuild: one script and one style sheet for the first view, chunks for what comes later, a service
 * worker that knows them all. Kept in a folder under the hash of everything it was made of, compressed as well, so that only the first start pays.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { BuildOptions, OutputFile, Plugin } from 'esbuild'
import type { StartData } from './start.ts'

export interface WebmailFile {
  readonly bytes: Uint8Array
  readonly type: string
  /** Its name changes with its content. */
  readonly immutable: boolean
  /** The same for browsers that take it compressed; where it is worth it. */
  readonly brotli?: Uint8Array
  readonly gzip?: Uint8Array
}

export interface WebmailBuild {
  /** By path relative to `/mail/`. */
  readonly files: ReadonlyMap<string, WebmailFile>
  readonly entry: { readonly script: string; readonly style: string; readonly preload: readonly string[] }
}

const client = join(import.meta.dirname, 'client')
/** What the browser has in common with the server: the sanitiser and S/MIME, and what they are made of. */
const shared = ['html', 'mime', 'smime'].map((one) => join(import.meta.dirname, '..', '..', 'wire', 'src', one))
const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  html: 'text/html; charset=utf-8',
  webmanifest: 'application/manifest+json',
}
const typeOf = (path: string): string => types[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream'

interface Manifest {
  readonly entry: WebmailBuild['entry']
  readonly files: readonly string[]
  /** Those that are kept compressed too, beside themselves. */
  readonly compressed: readonly string[]
}

/** Smaller ones are not worth it. */
const LEAST_COMPRESSED = 512
const compressible = /^(?:text\/|application\/(?:json|javascript|manifest\+json)|image\/svg)/
const brotliOf = promisify(brotliCompress)
const gzipOf = promisify(gzip)

async function compressed(file: WebmailFile): Promise<WebmailFile> {
  const { bytes, type } = file
  if (bytes.length < LEAST_COMPRESSED || !compressible.test(type)) return file
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 }
  return { ...file, brotli: await brotliOf(bytes, { params }), gzip: await gzipOf(bytes, { level: 9 }) }
}

/** The files of the web client. `cacheFolder`: where a build is kept (default: a folder of the system's temporary one; undefined hash: build anew). */
export async function buildWebmail({
  cacheFolder = join(tmpdir(), `postrider-webmail-${process.getuid?.() ?? 0}`),
}: {
  readonly cacheFolder?: string
} = {}): Promise<WebmailBuild> {
  const hash = await sourceHash()
  const folder = join(cacheFolder, hash)
  const kept = await readBuild(folder)
  if (kept !== undefined) return kept
  const { files, entry } = await make()
  const made = {
    entry,
    files: new Map(await Promise.all([...files].map(async ([path, file]) => [path, await compressed(file)] as const))),
  }
  await keep(cacheFolder, folder, made)
  return made
}

async function* sources(folder: string): AsyncGenerator<string> {
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (!entry.name.endsWith('.test.ts')) yield path
  }
}

async function sourceHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const file of [
    join(import.meta.dirname, '..', 'package.json'),
    import.meta.filename,
    join(import.meta.dirname, 'start.ts'),
  ])
    hash.update(await readFile(file))
  for (const folder of [client, ...shared])
    for await (const path of sources(folder)) hash.update(path.slice(folder.length)).update(await readFile(path))
  return hash.digest('hex').slice(0, 24)
}

async function readBuild(folder: string): Promise<WebmailBuild | undefined> {
  let manifest: Manifest
  try {
    manifest = JSON.parse(await readFile(join(folder, 'build.json'), 'utf8')) as Manifest
    const files = new Map<string, WebmailFile>()
    for (const path of manifest.files) {
      const at = join(folder, path)
      const file = { bytes: await readFile(at), type: typeOf(path), immutable: isImmutable(path) }
      const isCompressed = manifest.compressed.includes(path)
      files.set(
        path,
        isCompressed ? { ...file, brotli: await readFile(`${at}.br`), gzip: await readFile(`${at}.gz`) } : file,
      )
    }
    return { files, entry: manifest.entry }
  } catch {
    // Nothing kept, or not readable: it is made anew.
    return undefined
  }
}

const isImmutable = (path: string): boolean => path.startsWith('a/')

async function keep(cacheFolder: string, folder: string, build: WebmailBuild): Promise<void> {
  const fresh = `${folder}.${process.pid}.${Date.now()}`
  try {
    await mkdir(join(fresh, 'a'), { recursive: true, mode: 0o700 })
    const compressed: string[] = []
    for (const [path, { bytes, brotli, gzip }] of build.files) {
      await writeFile(join(fresh, path), bytes)
      if (brotli === undefined || gzip === undefined) continue
      await writeFile(join(fresh, `${path}.br`), brotli)
      await writeFile(join(fresh, `${path}.gz`), gzip)
      compressed.push(path)
    }
    const manifest: Manifest = { entry: build.entry, files: [...build.files.keys()], compressed }
    await writeFile(join(fresh, 'build.json'), JSON.stringify(manifest))
    await rename(fresh, folder)
    for (const old of await readdir(cacheFolder))
      if (/^[0-9a-f]{24}$/.test(old) && !folder.endsWith(old))
        await rm(join(cacheFolder, old), { recursive: true, force: true })
  } catch {
    // Another process was quicker, or the folder cannot be written: what was made is served from memory all the same.
    await rm(fresh, { recursive: true, force: true })
  }
}

const common: BuildOptions = {
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'silent',
  // Modules of the server beside those that are taken over; none of them stays in what is made (build.test.ts).
  external: ['node:*'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // The settings of the workspace's tsconfig are not for the browser.
  tsconfigRaw: { compilerOptions: { jsx: 'react-jsx', jsxImportSource: 'preact' } },
}

/**
 * The parts of the first view in one file: esbuild makes a file of whatever some set of entries shares, so every part loaded later would cut
 * the first view into more pieces. Told that each of them needs the whole first view, as is true when they run, it has no reason to.
 */
const firstViewWhole: Plugin = {
  name: 'first-view-whole',
  setup(building) {
    const main = join(client, 'main.tsx')
    const later = new Set<string>()
    // Before anything is loaded: a part may also be met by an import of another part first.
    building.onStart(async () => {
      for await (const path of sources(client))
        for (const [, name = ''] of (await readFile(path, 'utf8')).matchAll(/\bimport\('(\.[^']+)'\)/g))
          later.add(join(path, '..', name))
    })
    building.onLoad({ filter: /\.tsx?$/ }, async ({ path }) =>
      later.has(path)
        ? {
            contents: `import ${JSON.stringify(main)}\n${await readFile(path, 'utf8')}`,
            loader: path.endsWith('x') ? 'tsx' : 'ts',
          }
        : undefined,
    )
  },
}

async function make(): Promise<WebmailBuild> {
  const { build, stop } = await import('esbuild')
  await using _service = { [Symbol.asyncDispose]: stop }
  const result = await build({
    ...common,
    entryPoints: { app: join(client, 'main.tsx'), style: join(client, 'style', 'index.css') },
    outdir: '/a',
    splitting: true,
    plugins: [firstViewWhole],
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    metafile: true,
  })
  const files = new Map<string, WebmailFile>()
  const add = ({ path, contents }: Pick<OutputFile, 'path' | 'contents'>): string => {
    const name = `a/${path.slice(path.lastIndexOf('/') + 1)}`
    files.set(name, { bytes: contents, type: typeOf(name), immutable: true })
    return name
  }
  const names = new Map<string, string>()
  for (const output of result.outputFiles ?? []) names.set(output.path, add(output))
  const find = (pattern: RegExp): string => [...files.keys()].find((name) => pattern.test(name)) ?? ''
  const script = find(/^a\/app-.*\.js$/)
  const preload: string[] = []
  for (const [path, output] of Object.entries(result.metafile?.outputs ?? {})) {
    if (output.entryPoint?.endsWith('main.tsx') !== true || !path.endsWith('.js')) continue
    for (const { path: imported, kind } of output.imports)
      if (kind === 'import-statement') preload.push(`a/${imported.slice(imported.lastIndexOf('/') + 1)}`)
  }
  const entry = { script, style: find(/^a\/style-.*\.css$/), preload }
  files.set('frame.html', { bytes: Buffer.from(framePage), type: typeOf('frame.html'), immutable: false })
  files.set('offline.html', { bytes: Buffer.from(offlinePage(entry)), type: typeOf('offline.html'), immutable: false })
  for (const name of ['icon.svg', 'icon-192.png', 'icon-512.png', 'icon-maskable.png', 'manifest.webmanifest'])
    files.set(name, { bytes: await readFile(join(client, 'shell', name)), type: typeOf(name), immutable: false })
  const worker = await build({
    ...common,
    format: 'iife',
    entryPoints: [join(client, 'worker', 'service.ts')],
    define: {
      SHELL_FILES: JSON.stringify([...files.keys()]),
      SHELL_VERSION: JSON.stringify(
        createHash('sha256')
          .update([...files.keys()].join())
          .update(await readFile(join(client, 'worker', 'service.ts')))
          .digest('hex')
          .slice(0, 12),
      ),
    },
  })
  const [code] = worker.outputFiles ?? []
  if (code !== undefined) files.set('sw.js', { bytes: code.contents, type: types.js ?? '', immutable: false })
  return { files, entry }
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c)

/** The document mails are shown in: empty, with a policy of its own (`framePolicy`), filled from outside. No scripts, whatever is put in. */
const framePage =
  '<!doctype html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>·</title><base target="_blank"></head><body></body></html>\n'

/** What the service worker shows when the server is away: the same page, with nothing in it. */
const offlinePage = (entry: WebmailBuild['entry']): string =>
  shellPage(
    { entry, files: new Map() },
    { session: {}, headers: {}, signIn: '/signin', signOut: '/signout', offline: true },
  )

/** The page of `/mail/`. `base`: path the files are under, with its slash. No inline script or style. */
export function shellPage(
  { entry }: WebmailBuild,
  start: StartData,
  {
    language = 'en',
    base = '/mail/',
    title = 'Postrider',
  }: { readonly language?: string; readonly base?: string; readonly title?: string } = {},
): string {
  // In a script element only `</script` and `<!--` end the text: every `<` is written as an escape of JSON.
  const data = JSON.stringify(start).replaceAll('<', '\\u003c')
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f7f8fa" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#15171b" media="(prefers-color-scheme: dark)">
<meta name="referrer" content="same-origin">
<link rel="stylesheet" href="${base}${entry.style}">
${entry.preload.map((path) => `<link rel="modulepreload" href="${base}${path}">\n`).join('')}<link rel="icon" href="${base}icon.svg" type="image/svg+xml">
<link rel="manifest" href="${base}manifest.webmanifest" crossorigin="use-credentials">
<script type="application/json" id="start">${data}</script>
<script type="module" src="${base}${entry.script}"></script>
</head>
<body>
<div id="app" data-base="${base}"></div>
<noscript><p>This page needs JavaScript. <a href="/light/">Use the light version</a></p></noscript>
</body>
</html>
`
}

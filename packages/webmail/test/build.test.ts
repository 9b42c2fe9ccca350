import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { buildWebmail, shellPage } from '../src/build.ts'
import { choicesOf, readChoices, writeChoices } from '../src/start.ts'

const MOST_SCRIPT = 90 * 1024
const MOST_STYLE = 15 * 1024

test('the first view needs at most 90 KB of script and 15 KB of style; a second build comes from the cache', async () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'webmail-'))
  try {
    const first = await buildWebmail({ cacheFolder })
    const again = await buildWebmail({ cacheFolder })
    assert.deepEqual([...again.files.keys()], [...first.files.keys()])
    assert.deepEqual(again.entry, first.entry)
    for (const [path, file] of first.files) {
      assert.deepEqual(Buffer.from(file.bytes), again.files.get(path)?.bytes, path)
      assert.deepEqual([file.brotli, file.gzip], [again.files.get(path)?.brotli, again.files.get(path)?.gzip])
      assert.equal(file.gzip === undefined, path.endsWith('.png') || file.bytes.length < 512, path)
      if (file.brotli === undefined || file.gzip === undefined) continue
      for (const bytes of [brotliDecompressSync(file.brotli), gunzipSync(file.gzip)])
        assert.ok(bytes.equals(file.bytes), path)
    }
    const size = (paths: readonly string[]): number =>
      paths.reduce((sum, path) => sum + gzipSync(first.files.get(path)?.bytes ?? '', { level: 9 }).length, 0)
    const script = size([first.entry.script, ...first.entry.preload])
    assert.ok(script > 0 && script <= MOST_SCRIPT, `${script} bytes of script`)
    assert.ok(size([first.entry.style]) <= MOST_STYLE)
    const texts = [...first.files]
      .filter(([path]) => path.endsWith('.js'))
      .map(([path, { bytes }]) => [path, Buffer.from(bytes).toString()] as const)
    for (const [path, text] of texts) assert.doesNotMatch(text, /(?:from|import)\s*\(?"node:/, `${path} needs Node`)
    const early = new Set([first.entry.script, ...first.entry.preload])
    // The identifier of signed data stands in the code of S/MIME, which comes when there is such mail.
    assert.deepEqual(
      texts.flatMap(([path, text]) => (text.includes('1.2.840.113549.1.7.2') ? [early.has(path)] : [])),
      [false],
    )
    for (const [path, { immutable }] of first.files)
      assert.equal(immutable, /-[A-Z0-9]{8}\.(?:js|css)$/.test(path), path)
  } finally {
    rmSync(cacheFolder, { recursive: true })
  }
})

test('what stands in the page as JSON cannot end the script element', async () => {
  const build = { files: new Map(), entry: { script: 'a/app.js', style: 'a/style.css', preload: [] } }
  const page = shellPage(build, {
    session: { x: '</script><script>alert(1)</script><!--' },
    headers: {},
    signIn: '/',
    signOut: '/',
  })
  assert.equal(page.split('</script>').length, 3)
  assert.ok(!page.includes('<!--'))
})

test('the cookie of choices is read as it was written, and anything else is the default', () => {
  const choices = { conversations: false, language: 'fr', focused: true }
  assert.deepEqual(readChoices(`a=b; postrider-view=${writeChoices(choices)}`), choices)
  const usual = { conversations: true, language: undefined, focused: false }
  assert.deepEqual(readChoices('postrider-view=%%%&language=<x>'), usual)
  assert.deepEqual(readChoices(undefined), usual)
  assert.deepEqual(choicesOf({ conversations: false, language: '', focused: true }, choices), choices)
  assert.deepEqual(choicesOf(undefined, choices), choices)
})

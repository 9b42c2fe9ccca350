import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { type TestContext, test } from 'node:test'
import { Authority, withoutOpenssl } from '@postrider/testkit/smime'
import { type Certificate, readCertificates } from '@postrider/wire/smime'
import { loadConfig } from './config/load.ts'
import { smimeTrust } from './smime.ts'

function configured(t: TestContext, smime: object) {
  const folder = mkdtempSync(join(tmpdir(), 'smime-trust-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'postrider.json'), JSON.stringify({ smime }), { mode: 0o600 })
  return loadConfig({ POSTRIDER_DATA: folder })
}
const first = (pem: Uint8Array): Certificate => readCertificates(pem)[0] as Certificate

test('R58: believed are the administrator’s authorities, and the platform’s unless they are switched off', {
  skip: withoutOpenssl,
}, async (t) => {
  const authority = new Authority()
  t.after(() => authority[Symbol.dispose]())
  const leaf = first(readFileSync(authority.issue('Ada', 'ada@example.com').certificate))
  const root = first(Buffer.from(rootCertificates[0] as string))
  const at = Date.now() + 60_000
  const trust = [authority.certificate]
  const [both, own, platform] = [{ trust }, { trust, systemTrust: false }, {}].map((one) =>
    smimeTrust(configured(t, one))(),
  )
  assert.equal(await both?.(leaf, [], at), undefined)
  assert.equal(await own?.(leaf, [], at), undefined)
  assert.equal(await platform?.(leaf, [], at), 'unknownIssuer')
  const mid = (root.notBefore + root.notAfter) / 2
  assert.equal(await both?.(root, [], mid), undefined)
  assert.equal(await own?.(root, [], mid), 'unknownIssuer')
})

test('a file of smime.trust that holds no certificate is named', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'smime-trust-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const empty = join(folder, 'empty.pem')
  writeFileSync(empty, 'nothing')
  for (const file of [empty, join(folder, 'missing.pem')])
    assert.throws(() => smimeTrust(configured(t, { trust: [file] })), new RegExp(file.replace(/[.\\/]/g, '\\$&')))
})

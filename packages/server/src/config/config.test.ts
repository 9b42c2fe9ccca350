import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { JsoncError, parseJsonc, plain } from './jsonc.ts'
import { parseSize } from './kinds.ts'
import { asDocument, ConfigError, databaseNames, loadConfig, ownerCount, postgresServer, publicHost } from './load.ts'
import { type Setting, settingNames, settings } from './settings.ts'

function folderWith(t: TestContext, text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  if (text !== undefined) writeFileSync(join(folder, 'postrider.json'), text)
  return folder
}
function problemsOf(t: TestContext, text: string, env: Record<string, string> = {}): readonly string[] {
  const folder = folderWith(t, text)
  try {
    loadConfig({ POSTRIDER_DATA: folder, ...env })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map(({ en }) => en.replace(folder, ''))
  }
  return []
}

test('without a file everything has its default', (t) => {
  const { config, found, sources } = loadConfig({ POSTRIDER_DATA: folderWith(t) })
  assert.equal(found, false)
  assert.equal(config.domain, 'example.com')
  assert.equal(config['imap.connectionsPerUser'], 16)
  assert.equal(config['limits.messageSize'], 36 * 1024 * 1024)
  assert.equal(sources.get('domain'), 'default')
  assert.equal(databaseNames(config).length, ownerCount(config))
  assert.equal(databaseNames({ ...config, owners: 3 }).length, 3)
  assert.equal(databaseNames({ ...config, databases: 5 }).length, 5)
})

test('file, comments, units; the environment wins', (t) => {
  const folder = folderWith(
    t,
    `// ours
    { "domain": "corp.example", /* block */
      "limits": { "messageSize": "25MB", "mailboxQuota": 1000 },
      "imap": { "authenticatedTimeout": "2h" },
      "listeners": { "pop3": { "enabled": false }, "https": { "port": 443 } },
      "log": { "protocols": ["imap", "smtp"], }, }`,
  )
  const { config, sources } = loadConfig({
    POSTRIDER_DATA: folder,
    POSTRIDER_PORT_BASE: '21000',
    POSTRIDER_BIND: '127.0.0.1, [::1]',
  })
  assert.equal(config.domain, 'corp.example')
  assert.equal(config['limits.messageSize'], 25 * 1024 * 1024)
  assert.equal(config['limits.mailboxQuota'], 1_000)
  assert.equal(config['imap.authenticatedTimeout'], 7_200_000)
  assert.equal(config['listeners.pop3.enabled'], false)
  assert.deepEqual(config['log.protocols'], ['imap', 'smtp'])
  assert.deepEqual(
    (['https', 'imaps', 'imap', 'pop3s', 'pop3', 'smtp', 'submission', 'submissions'] as const).map(
      (name) => config[`listeners.${name}.port`],
    ),
    [21000, 21001, 21002, 21003, 21004, 21005, 21006, 21007],
  )
  assert.deepEqual(config['listeners.address'], ['127.0.0.1', '::1'])
  assert.equal(sources.get('listeners.https.port'), 'environment')
  assert.equal(sources.get('domain'), 'file')
  assert.equal(publicHost({ ...config, hostName: 'Mail.Corp.example' }), 'mail.corp.example')
})

test('every problem is told with its line, and what is meant is guessed', (t) => {
  const problems = problemsOf(
    t,
    `{
  "domian": "example.org",
  "imap": { "connectionsPerUser": "many",
            "conectionsPerUser": 3 },
  "limits": { "messageSize": "3 miles" },
  "log": { "level": "loud" },
  "tls": { "key": "k.pem" },
  "listeners": { "address": ["nowhere"], "smtp": { "port": 70000 } },
  "__proto__": { "x": 1 }, "constructor": 1,
  "delivery": "fast"
}`,
  )
  const text = problems.join('\n')
  assert.match(text, /^\/postrider\.json:2: there is no setting "domian"\. Did you mean "domain"\?$/m)
  assert.match(text, /:3: "imap\.connectionsPerUser" must be a whole number from 1 to 10000\.$/m)
  assert.match(text, /:4: there is no setting "imap\.conectionsPerUser"\. Did you mean "imap\.connectionsPerUser"\?$/m)
  assert.match(text, /:5: "limits\.messageSize" must be a size/m)
  assert.match(text, /:6: "log\.level" must be one of "debug", "info", "warn", "error"\.$/m)
  assert.match(text, /:8: "listeners\.address" must be an IP address/m)
  assert.match(text, /:8: "listeners\.smtp\.port" must be a whole number from 0 to 65535/m)
  assert.match(text, /"tls\.certificate" and "tls\.key" belong together/)
  assert.match(text, /there is no setting "__proto__"/)
  assert.match(text, /there is no setting "constructor"/)
  assert.match(text, /:10: "delivery" must be an object/)
  assert.equal(problems.length, 11)
})

test('what is no JSON is told with line and column', (t) => {
  const where = (text: string): string => problemsOf(t, text)[0] ?? ''
  assert.match(where('{\n  domain: 1 }'), /:2:3: a name in double quotes or \} must stand here/)
  assert.match(where('{ "a": yes }'), /:1:8: 'yes' must stand in double quotes/)
  assert.match(where('{ "a": 1 "b": 2 }'), /a comma or \}/)
  assert.match(where('{ "a": 1, "a": 2 }'), /"a" is there twice/)
  assert.match(where('{ "a": "x\n" }'), /a string is not closed on its line/)
  assert.match(where('{ /* '), /a comment is not closed/)
  assert.match(where('[]'), /must be an object/)
  assert.match(where(''), /ends too early/)
  assert.match(where('{} x'), /more text after the end/)
})

test('wrong environment variables are named', (t) => {
  assert.match(
    problemsOf(t, '{}', { POSTRIDER_PORT_BASE: 'x' })[0] ?? '',
    /POSTRIDER_PORT_BASE must be a whole number from 1 to 65528/,
  )
  assert.match(problemsOf(t, '{}', { POSTRIDER_PORT_BASE: '65530' })[0] ?? '', /POSTRIDER_PORT_BASE/)
  assert.match(problemsOf(t, '{}', { POSTRIDER_BIND: 'localhost' })[0] ?? '', /POSTRIDER_BIND must be IP addresses/)
  assert.match(problemsOf(t, '{}', { POSTRIDER_CONFIG: '/nowhere/x.json' })[0] ?? '', /x\.json cannot be read/)
})

test('two services cannot have one port', (t) => {
  const text = '{ "listeners": { "imap": { "port": 2143 }, "smtp": { "port": 2143 } } }'
  assert.match(problemsOf(t, text)[0] ?? '', /imap and smtp cannot both have port 2143/)
})

test('a file that everybody can write is warned about', (t) => {
  const folder = folderWith(t, '{}')
  chmodSync(join(folder, 'postrider.json'), 0o666)
  assert.match(loadConfig({ POSTRIDER_DATA: folder }).warnings[0]?.en ?? '', /chmod o-w/)
})

test('what `postrider config` prints is a configuration with the same meaning', (t) => {
  const { config } = loadConfig({ POSTRIDER_DATA: folderWith(t) })
  const again = loadConfig({ POSTRIDER_DATA: folderWith(t, JSON.stringify(asDocument(config), null, 2)) })
  assert.deepEqual(again.config, config)
})

test('the table: every default is legal, every setting is explained in both languages', () => {
  for (const name of settingNames) {
    const setting: Setting<unknown> = settings[name]
    const shown = JSON.stringify(setting.kind.show(setting.default))
    assert.deepEqual(setting.kind.read(parseJsonc(shown)), setting.default, name)
    assert.ok(setting.en.length > 3 && setting.fr.length > 3 && setting.en !== setting.fr, name)
    assert.match(name, /^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/)
  }
})

test('sizes', () => {
  assert.deepEqual(['0', '10', '1KB', '1.5 MB', '2gb', '3T', '5B'].map(parseSize), [
    0,
    10,
    1024,
    1_572_864,
    2 * 1024 ** 3,
    3 * 1024 ** 4,
    5,
  ])
  for (const bad of ['', 'x', '-1', '1XB', '1..5MB', '99999999999999TB']) assert.equal(parseSize(bad), undefined, bad)
})

test('JSON is read as JSON.parse reads it, and nothing else than JsoncError is thrown', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value)
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        return
      }
      assert.deepEqual(plain(parseJsonc(text)), expected)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:/*\\ \n\tetruefalsnl0123-.') }), (text) => {
      try {
        parseJsonc(text)
      } catch (error) {
        assert.ok(error instanceof JsoncError, String(error))
      }
    }),
  )
})

test('the PostgreSQL server: several hosts, and a password that is never shown', (t) => {
  const url = 'postgres://mail:top%40secret@db1:5432,db2:5433/mail?sslmode=verify-full'
  const store = { driver: 'postgres', postgres: { url } }
  const { config } = loadConfig({ POSTRIDER_DATA: folderWith(t, JSON.stringify({ store })) })
  assert.deepEqual(postgresServer(config)?.urls, [
    'postgres://mail:top%40secret@db1:5432/mail?sslmode=verify-full',
    'postgres://mail:top%40secret@db2:5433/mail?sslmode=verify-full',
  ])
  const shown = JSON.stringify(asDocument(config))
  assert.ok(shown.includes('postgres://mail:***@db1:5432,db2:5433/mail?sslmode=verify-full'), shown)
  assert.ok(!shown.includes('secret'))
})

test('the bucket of the originals: only with PostgreSQL, never without an address, its secret never shown', (t) => {
  const postgres = { url: 'postgres://mail:x@db1/mail' }
  const s3 = 's3://key:top%2Fsecret@s3.example.com/bucket/mail?region=eu-1'
  const load = (store: unknown) => loadConfig({ POSTRIDER_DATA: folderWith(t, JSON.stringify({ store })) }).config
  const config = load({ driver: 'postgres', postgres, segments: { kind: 's3', s3, cache: '2GB' } })
  const { bucket, cacheBytes } = postgresServer(config)?.objects ?? {}
  assert.deepEqual([bucket?.secretKey, bucket?.prefix, cacheBytes], ['top/secret', 'mail/', 2 * 1024 ** 3])
  const shown = JSON.stringify(asDocument(config))
  assert.ok(shown.includes('s3://key:***@s3.example.com/bucket/mail?region=eu-1'), shown)
  assert.ok(!shown.includes('secret'))
  assert.throws(() => load({ segments: { kind: 's3', s3 } }), /"store.driver": "postgres"/)
  assert.throws(() => load({ driver: 'postgres', postgres, segments: { kind: 's3' } }), /store.segments.s3/)
  assert.throws(() => load({ segments: { s3: 'http://host/bucket' } }), /s3:\/\/key:secret@host/)
})

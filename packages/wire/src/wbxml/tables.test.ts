import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { allTags, knowsTag, type ProtocolVersion, type Tag, tagEntry } from './index.ts'
import { codePages } from './pages/index.ts'

/** The shared reference data, when this machine has it. */
const spec = [
  process.env.POSTRIDER_SPEC,
  new URL('../../../../../shared/spec', import.meta.url).pathname,
  new URL('../../../../../../shared/spec', import.meta.url).pathname,
].find((folder) => folder !== undefined && existsSync(`${folder}/requirements`))
const skip = spec === undefined ? 'the reference data (POSTRIDER_SPEC) is not on this machine' : false

test('26 code pages stand at their number, and no token is used twice', () => {
  assert.equal(codePages.length, 26)
  codePages.forEach(({ page, namespace, tags }, index) => {
    assert.equal(page, index, namespace)
    const tokens = Object.values(tags).map((token) => (typeof token === 'number' ? token : token[0]))
    assert.equal(new Set(tokens).size, tokens.length, `${namespace} uses a token twice`)
    for (const token of tokens) assert.ok(token >= 5 && token <= 63, `${namespace} ${token}`)
    assert.deepEqual(
      tokens.toSorted((a, b) => a - b),
      tokens,
      `${namespace} in the order of its tokens`,
    )
  })
})

test('gates: newer tags are unknown to older versions, retired ones to newer', () => {
  const table: [Tag, ProtocolVersion, boolean][] = [
    ['AirSync:Wait', '12.0', false],
    ['AirSync:Wait', '12.1', true],
    ['AirSync:HeartbeatInterval', '12.1', false],
    ['Calendar:Location', '14.1', true],
    ['Calendar:Location', '16.0', false],
    ['AirSyncBase:Location', '14.1', false],
    ['AirSyncBase:Body', '2.5', false],
    ['Email:Body', '2.5', true],
    ['Email:Body', '12.0', false],
    ['Find:Find', '16.0', false],
    ['Find:Find', '16.1', true],
    ['Email2:Send', '14.1', false],
    ['Email2:Send', '16.0', true],
  ]
  for (const [tag, version, known] of table) assert.equal(knowsTag(version, tag), known, `${tag} in ${version}`)
})

/** Which namespaces a document's bare element names may mean. */
const documents: Record<string, string[]> = {
  'MS-ASPROV': ['Provision'],
  'MS-ASRM': ['RightsManagement'],
  'MS-ASTASK': ['Tasks'],
  'MS-ASNOTE': ['Notes'],
  'MS-ASDOC': ['DocumentLibrary'],
  'MS-ASCNTC': ['Contacts', 'Contacts2'],
  'MS-ASEMAIL': ['Email', 'Email2'],
  'MS-ASAIRS': ['AirSyncBase'],
}

test('gates agree with every "Protocol version x supports this element" of the documents', { skip }, () => {
  let compared = 0
  for (const [document, namespaces] of Object.entries(documents)) {
    for (const line of readFileSync(`${spec}/requirements/${document}.tsv`, 'utf8').split('\n')) {
      const [id, , , , sentence = ''] = line.split('\t')
      const match = /^\[In ([A-Za-z0-9]+)\] Protocol version (\d+\.\d) (supports?|does not supports?) this/.exec(
        sentence,
      )
      if (match === null) continue
      const entries = namespaces.map((space) => tagEntry(`${space}:${match[1]}`)).filter((entry) => entry !== undefined)
      // A name in two namespaces, or of another document, cannot be judged by its name alone.
      if (entries.length !== 1) continue
      // [MS-ASEMAIL] speaks of airsyncbase:DisplayName and of resolverecipients:EndTime here, not of its own elements.
      if (document === 'MS-ASEMAIL' && ['DisplayName', 'EndTime'].includes(match[1]!)) continue
      const says = !match[3]!.includes('not')
      const entry = entries[0]!
      assert.equal(knowsTag(match[2] as ProtocolVersion, entry.tag), says, `${document}_${id} ${entry.tag}`)
      compared++
    }
  }
  assert.ok(compared > 1000, `only ${compared} statements compared`)
})

/** Names the schemas write in a way of their own, none of them a tag of [MS-ASWBXML]. */
const schemaOnly = /^(ComposeMail:Forwardee(Name|Email)|Contacts:(\w+TelephoneNumber|AssistnamePhoneNumber|Webpage))$/

test('every element of the schemas has a token', { skip }, () => {
  const missing: string[] = []
  for (const file of readdirSync(`${spec}/activesync-xsd`)) {
    if (file.startsWith('Autodiscover')) continue
    const schema = readFileSync(`${spec}/activesync-xsd/${file}`, 'utf8')
    const namespace = /targetNamespace\s*=\s*"([^"]+)"/.exec(schema)?.[1]
    for (const [, name] of schema.matchAll(/<xs:element\b[^>]*?\bname="([^"]+)"/g)) {
      const tag = `${namespace}:${name}`
      if (tagEntry(tag) === undefined && !schemaOnly.test(tag)) missing.push(`${file} ${tag}`)
    }
  }
  assert.deepEqual(missing, [])
})

test('a tag is found under its name and nowhere else', () => {
  for (const entry of allTags()) assert.equal(tagEntry(entry.tag), entry)
  for (const name of ['__proto__', 'constructor', 'AirSync:', 'AirSync:sync', ':Sync']) {
    assert.equal(tagEntry(name), undefined)
  }
})

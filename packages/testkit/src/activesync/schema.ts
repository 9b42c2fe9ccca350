/**
 * Answers against the schemas of the documents (shared/spec/activesync-xsd), with xmllint as the judge: one process for a
 * batch. Where the schemas or xmllint are missing it says so by name, and nothing is validated.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Element, toXml } from '@postrider/wire/wbxml'

/** Which schema is for which root; a root that is missing has no schema. */
const schemas: ReadonlyMap<string, string> = new Map([
  ['AirSync:Sync', 'SyncResponse.xsd'],
  ['ComposeMail:SendMail', 'SendMailResponse.xsd'],
  ['ComposeMail:SmartForward', 'SmartForwardResponse.xsd'],
  ['ComposeMail:SmartReply', 'SmartReplyResponse.xsd'],
  ['Find:Find', 'FindResponse.xsd'],
  ['FolderHierarchy:FolderCreate', 'FolderCreateResponse.xsd'],
  ['FolderHierarchy:FolderDelete', 'FolderDeleteResponse.xsd'],
  ['FolderHierarchy:FolderSync', 'FolderSyncResponse.xsd'],
  ['FolderHierarchy:FolderUpdate', 'FolderUpdateResponse.xsd'],
  ['GetItemEstimate:GetItemEstimate', 'GetItemEstimateResponse.xsd'],
  ['ItemOperations:ItemOperations', 'ItemOperationsResponse.xsd'],
  ['MeetingResponse:MeetingResponse', 'MeetingResponseResponse.xsd'],
  ['Move:MoveItems', 'MoveItemsResponse.xsd'],
  ['Ping:Ping', 'PingResponse.xsd'],
  ['Provision:Provision', 'ProvisionResponse.xsd'],
  ['ResolveRecipients:ResolveRecipients', 'ResolveRecipientsResponse.xsd'],
  ['Search:Search', 'SearchResponse.xsd'],
  ['Settings:Settings', 'SettingsResponse.xsd'],
  ['ValidateCert:ValidateCert', 'ValidateCertResponse.xsd'],
])

export interface Invalid {
  /** Position in the list given. */
  readonly index: number
  /** What xmllint says. */
  readonly messages: readonly string[]
  readonly xml: string
}

export type Validation =
  | { readonly validated: number; readonly invalid: readonly Invalid[] }
  /** Why nothing was validated. */
  | { readonly skipped: string }

/** The folder with the schemas: POSTRIDER_SPEC, or `shared/spec` beside the repository. */
export function schemaFolder(): string | undefined {
  const here = import.meta.dirname
  const candidates = [
    process.env.POSTRIDER_SPEC,
    resolve(here, '../../../../../shared/spec'),
    resolve(here, '../../../../../../shared/spec'),
    resolve(process.cwd(), '../shared/spec'),
  ]
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    for (const folder of [join(candidate, 'activesync-xsd'), candidate]) {
      if (existsSync(join(folder, 'SyncResponse.xsd'))) return folder
    }
  }
  return undefined
}

/** Why validation cannot be done here; undefined when it can. */
export function schemaMissing(): string | undefined {
  if (schemaFolder() === undefined) return 'the schemas (POSTRIDER_SPEC) are not on this machine'
  if (spawnSync('xmllint', ['--version']).error !== undefined) return 'xmllint (libxml2-utils) is not installed'
  return undefined
}

/**
 * The schemas in a form xmllint loads: the stored files name no schemaLocation, so one is added by namespace; files of one
 * namespace that include one another are left as they are.
 */
function prepare(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  const namespaces = new Map<string, string>()
  const files = readdirSync(to).filter((file) => file.endsWith('.xsd'))
  // A namespace that has no file of its own is taken from its response (MeetingResponse).
  for (const file of files.toSorted((a, b) => Number(isResponse(b)) - Number(isResponse(a)))) {
    const namespace = targetOf(readFileSync(join(to, file), 'utf8'))
    if (namespace !== undefined) namespaces.set(namespace, file)
  }
  for (const file of files) {
    const path = join(to, file)
    const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
    const used = new Set<string>()
    const own = targetOf(text)
    for (const [, namespace] of text.matchAll(/xmlns(?::\w+)?\s*=\s*"\s*([^"]+?)\s*"/g)) used.add(namespace!)
    let imports = ''
    for (const namespace of used) {
      // DeviceInformation, which Provision answers too, is declared with the response of Settings.
      const target =
        file === 'ProvisionResponse.xsd' && namespace === 'Settings'
          ? 'SettingsResponse.xsd'
          : namespaces.get(namespace)
      if (target === undefined || target === file || text.includes(`"${target}"`)) continue
      imports +=
        namespace === own
          ? `<xs:include schemaLocation="${target}"/>`
          : `<xs:import namespace="${namespace}" schemaLocation="${target}"/>`
    }
    writeFileSync(path, text.replace(/(<xs:schema\b[^>]*>)/, `$1${imports}`))
  }
}

const isResponse = (file: string): boolean => /Response\.xsd$/.test(file)

const targetOf = (schema: string): string | undefined => /targetNamespace\s*=\s*"([^"]+)"/.exec(schema)?.[1]

let prepared: string | undefined

/** The prepared schemas, once per process. */
function preparedSchemas(): string {
  if (prepared !== undefined) return prepared
  const folder = mkdtempSync(join(tmpdir(), 'activesync-xsd-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  prepare(schemaFolder()!, folder)
  prepared = folder
  return folder
}

/** Validates answers, one xmllint process per root element. */
export function validate(documents: readonly Element[]): Validation {
  const skipped = schemaMissing()
  if (skipped !== undefined) return { skipped }
  const schemaPath = preparedSchemas()
  const folder = mkdtempSync(join(tmpdir(), 'activesync-xml-'))
  try {
    const invalid: Invalid[] = []
    let validated = 0
    const byRoot = Map.groupBy(documents.entries(), ([, document]) => document.tag as string)
    for (const [root, entries] of byRoot) {
      const schema = schemas.get(root)
      if (schema === undefined) continue
      const files = entries.map(([index, document]) => {
        const file = join(folder, `${index}.xml`)
        const xml = toXml(document, { opaque: 'text' })
        writeFileSync(file, xml)
        return { index, file, xml }
      })
      validated += files.length
      const run = spawnSync(
        'xmllint',
        ['--noout', '--huge', '--schema', join(schemaPath, schema), ...files.map(({ file }) => file)],
        {
          encoding: 'utf8',
          maxBuffer: 64 * 1024 * 1024,
        },
      )
      if (/Schemas parser error|failed to compile/.test(run.stderr))
        throw new Error(
          `${schema}: ${run.stderr
            .split('\n')
            .filter((line) => line.includes('error'))
            .join('\n')}`,
        )
      for (const { index, file, xml } of files) {
        const lines = run.stderr.split('\n').filter((line) => line.startsWith(`${file}:`))
        const messages = lines.filter(
          (line) => line.includes('Schemas validity error') || line.includes('parser error'),
        )
        if (messages.length > 0) invalid.push({ index, messages, xml })
      }
    }
    return { validated, invalid: invalid.sort((a, b) => a.index - b.index) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

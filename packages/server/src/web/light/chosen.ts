import type { Folder } from './folders-of.ts'
import type { Visit } from './visit.ts'

/** Mails named by a form or a link of one. */
const MAX_NAMED = 500

/** What is acted on: some mails, or all of a list. */
export interface Chosen {
  readonly ids: readonly string[]
  readonly whole: boolean
  readonly folder: Folder | undefined
  readonly query: string
  /** The half of a parted Inbox. */
  readonly tab: 'focused' | 'other' | undefined
  /** Rows stand for conversations. */
  readonly threads: boolean
}

export const idsOf = (fields: URLSearchParams): readonly string[] =>
  fields
    .getAll('id')
    .filter((id) => /^[\w-]{1,255}$/.test(id))
    .slice(0, MAX_NAMED)

export async function chosenOf(visit: Visit, fields: URLSearchParams): Promise<Chosen> {
  const folders = await visit.folders()
  const tab = fields.get('tab')
  return {
    ids: idsOf(fields),
    whole: fields.get('whole') === '1',
    folder: folders.find(({ id }) => id === fields.get('folder')),
    query: (fields.get('q') ?? '').slice(0, 500),
    tab: tab === 'focused' || tab === 'other' ? tab : undefined,
    threads: fields.get('threads') === '1',
  }
}
/** The same as fields of a form or of a link. */
export const chosenFields = ({ ids, whole, folder, query, tab, threads }: Chosen): [string, string][] => [
  ...(whole ? [['whole', '1'] as [string, string]] : ids.map((id): [string, string] => ['id', id])),
  ...(folder === undefined ? [] : [['folder', folder.id] as [string, string]]),
  ...(query === '' ? [] : [['q', query] as [string, string]]),
  ...(tab === undefined ? [] : [['tab', tab] as [string, string]]),
  ...(threads ? [['threads', '1'] as [string, string]] : []),
]

import { decodeParameters } from './parameters.ts'
import type { MimePart, RawParameter } from './types.ts'
import { decodeWords } from './words.ts'

/** The part table of a stored index: one JSON text, decoded only for who asks about parts. */

type Text = string | 0
type Pairs = readonly string[] | 0
type Row = readonly [
  parent: number,
  firstChild: number,
  nextSibling: number,
  headerStart: number,
  bodyStart: number,
  bodyEnd: number,
  lines: number,
  flags: number,
  section: string,
  type: string,
  subtype: string,
  encoding: string,
  parameters: Pairs,
  contentId: Text,
  description: Text,
  md5: Text,
  language: Pairs,
  location: Text,
  disposition: Text,
  dispositionParameters: Pairs,
]

const FLAG_ATTACHMENT = 1
const FLAG_OPAQUE = 2

export function packParts(parts: readonly MimePart[]): string {
  return JSON.stringify(
    parts.map(
      (part): Row => [
        part.parent,
        part.firstChild,
        part.nextSibling,
        part.headerStart,
        part.bodyStart,
        part.bodyEnd,
        part.lines,
        (part.isAttachment ? FLAG_ATTACHMENT : 0) | (part.opaque ? FLAG_OPAQUE : 0),
        part.section,
        part.type,
        part.subtype,
        part.encoding,
        pairs(part.rawParameters),
        part.contentId ?? 0,
        part.description ?? 0,
        part.md5 ?? 0,
        part.language.length === 0 ? 0 : part.language,
        part.location ?? 0,
        part.disposition ?? 0,
        pairs(part.rawDispositionParameters),
      ],
    ),
  )
}

function pairs(parameters: readonly RawParameter[]): Pairs {
  return parameters.length === 0 ? 0 : parameters.flatMap(({ name, value }) => [name, value])
}

const text = (value: Text): string | undefined => (value === 0 ? undefined : value)

function parametersOf(list: Pairs): RawParameter[] {
  const out: RawParameter[] = []
  if (list !== 0) for (let i = 0; i + 1 < list.length; i += 2) out.push({ name: list[i]!, value: list[i + 1]! })
  return out
}

export function unpackParts(packed: string): MimePart[] {
  const rows = JSON.parse(packed) as readonly Row[]
  const parts: MimePart[] = []
  rows.forEach((row, index) => {
    const rawParameters = parametersOf(row[12])
    const rawDispositionParameters = parametersOf(row[19])
    const parameters = decodeParameters(rawParameters)
    const dispositionParameters = decodeParameters(rawDispositionParameters)
    const name = dispositionParameters.get('filename') ?? parameters.get('name')
    parts.push({
      index,
      parent: row[0],
      firstChild: row[1],
      nextSibling: row[2],
      depth: row[0] < 0 ? 0 : parts[row[0]]!.depth + 1,
      section: row[8],
      headerStart: row[3],
      bodyStart: row[4],
      bodyEnd: row[5],
      lines: row[6],
      type: row[9],
      subtype: row[10],
      parameters,
      rawParameters,
      encoding: row[11],
      contentId: text(row[13]),
      description: text(row[14]),
      md5: text(row[15]),
      language: row[16] === 0 ? [] : row[16],
      location: text(row[17]),
      disposition: text(row[18]),
      dispositionParameters,
      rawDispositionParameters,
      charset: parameters.get('charset')?.trim().toLowerCase() || undefined,
      isAttachment: (row[7] & FLAG_ATTACHMENT) !== 0,
      filename: name === undefined || name === '' ? undefined : decodeWords(name),
      opaque: (row[7] & FLAG_OPAQUE) !== 0,
    })
  })
  return parts
}

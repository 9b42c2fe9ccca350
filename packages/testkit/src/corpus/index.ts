/**
 * Mails that are hard to read: about two hundred, legal and illegal, each with a name that says what is odd. In: nothing. Out: the same
 * octets, flags and dates every time, so that two servers, or two versions of one, can be filled alike and compared.
 */
import { embedded, structured } from './embedded.ts'
import { addresses, dates, fields, words } from './headers.ts'
import type { CorpusMail, Draft } from './mail.ts'
import { multiparts, types } from './parts.ts'
import { brokenLines, plain } from './plain.ts'
import { threads } from './threads.ts'

export type { CorpusMail } from './mail.ts'

const FLAG_SETS = [
  '',
  '\\Seen',
  '\\Flagged',
  '\\Answered \\Seen',
  '\\Draft',
  '$Work',
  '\\Seen $Work Custom',
  '\\Deleted',
  '\\Flagged $Forwarded',
]
const ZONES = ['+0000', '+0000', '-0700', '+0530', '+0000']

/** Days run from 1 January 2015 in steps of 13 days; hours sweep the day, so that zones move some over midnight. */
function dateOf(index: number): string {
  const time = new Date(Date.UTC(2015, 0, 1 + 13 * index, (7 * index) % 24, (11 * index) % 60, index % 60))
  const [, day = '', month = '', year = '', clock = ''] =
    /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(time.toUTCString()) ?? []
  return `${day}-${month}-${year} ${clock} ${ZONES[index % ZONES.length]}`
}

/** The whole corpus, in a fixed order. */
export function corpus(): CorpusMail[] {
  const drafts: Draft[] = [
    ...plain,
    ...brokenLines,
    ...addresses,
    ...words,
    ...fields,
    ...dates,
    ...types,
    ...multiparts,
    ...embedded,
    ...structured,
    ...threads,
  ]
  return drafts.map(({ name, text }, index) => ({
    name,
    bytes: Buffer.from(text, 'latin1'),
    flags: FLAG_SETS[index % FLAG_SETS.length] ?? '',
    date: dateOf(index),
  }))
}

import type { ArgumentReader } from '../reader.ts'

/** What STATUS may ask: RFC 9051 §6.3.11, RFC 3501 (RECENT), RFC 7162 (HIGHESTMODSEQ), RFC 7889, RFC 8474, RFC 9208. */
export const STATUS_ITEMS = [
  'MESSAGES',
  'RECENT',
  'UIDNEXT',
  'UIDVALIDITY',
  'UNSEEN',
  'DELETED',
  'SIZE',
  'HIGHESTMODSEQ',
  'APPENDLIMIT',
  'MAILBOXID',
  'DELETED-STORAGE',
] as const
export type StatusItem = (typeof STATUS_ITEMS)[number]

/** `(MESSAGES UNSEEN)`: at least one item, each kept once. */
export function readStatusItems(r: ArgumentReader): StatusItem[] {
  const items = r.list(() => {
    const name = r.keyword()
    return STATUS_ITEMS.find((item) => item === name) ?? r.fail('Unknown STATUS item')
  }, 'filled')
  return [...new Set(items)]
}

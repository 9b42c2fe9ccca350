/**
 * The lines that make a mailbox of a text file: RFC 4155 and the four dialects (mboxo, mboxrd, mboxcl, mboxcl2). A message begins with a
 * `From ` line; a line of its own that looks so is written `>From ` (mboxrd: whatever number of `>` stands before it gets one more), or the
 * message says its Content-Length (cl, cl2).
 */
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** A longer line is no `From ` line. */
export const MAX_FROM_LINE = 1_024

const asctime =
  /^From (?:\S+ +|.{0,200}? )?(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat),? +(?:([A-Z][a-z]{2}) +(\d{1,2})|(\d{1,2}) +([A-Z][a-z]{2})(?: +(\d{4}))?) +(\d{1,2}):(\d{2})(?::(\d{2}))?(?: +[A-Z]{2,5})?(?: +([+-]\d{4}))?(?: +(\d{4}))?(?: +([+-]\d{4}))?(?: remote from \S+)?\s*$/

/** The date of a `From ` line in ms since 1970 (UTC unless it says otherwise); undefined for a line that is none. */
export function fromLineDate(line: string): number | undefined {
  if (line.length > MAX_FROM_LINE || !line.startsWith('From ')) return undefined
  const match = asctime.exec(line)
  if (match === null) return undefined
  const month = months.indexOf(match[1] ?? match[4] ?? '')
  const day = Number(match[2] ?? match[3])
  const year = Number(match[10] ?? match[5])
  const [hour, minute, second] = [match[6], match[7], match[8] ?? '0'].map(Number) as [number, number, number]
  if (month < 0 || !(year >= 1900 && year <= 9999) || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return undefined
  const zone = match[9] ?? match[11] ?? '+0000'
  const minutes = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) * (zone[0] === '-' ? -1 : 1)
  return Date.UTC(year, month, day, hour, minute, second) - minutes * 60_000
}

/** `From bob@example.org Thu Nov 21 14:30:45 2026`: the date is UTC. */
export function fromLine(sender: string, received: number): string {
  const date = new Date(received)
  const two = (n: number): string => String(n).padStart(2, '0')
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':')
  const day = String(date.getUTCDate()).padStart(2)
  const who = /^[\x21-\x7e]{1,320}$/.test(sender) ? sender : 'MAILER-DAEMON'
  return `From ${who} ${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`
}

/** What stands for quoting: `rd` and `o` undo it, `none` is for cl2. */
export type Quoting = 'rd' | 'o' | 'none'

const isFrom = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 70 && bytes[at + 1] === 114 && bytes[at + 2] === 111 && bytes[at + 3] === 109 && bytes[at + 4] === 32

/** Offsets of the lines that are `From ` behind any number (`max`) of `>`; at least `min` of them. */
function* quotable(bytes: Uint8Array, min: number, max: number): Generator<number> {
  for (let start = 0; start < bytes.length; ) {
    let at = start
    while (bytes[at] === 62 && at - start < max) at++
    if (at - start >= min && isFrom(bytes, at)) yield start
    const end = bytes.indexOf(10, at)
    if (end === -1) return
    start = end + 1
  }
}

/** Takes one `>` off every quoted line. */
export function unquote(bytes: Uint8Array, quoting: Quoting): Uint8Array {
  if (quoting === 'none') return bytes
  const at = [...quotable(bytes, 1, quoting === 'rd' ? Number.POSITIVE_INFINITY : 1)]
  if (at.length === 0) return bytes
  const parts: Uint8Array[] = []
  let from = 0
  for (const start of at) {
    parts.push(bytes.subarray(from, start))
    from = start + 1
  }
  parts.push(bytes.subarray(from))
  return Buffer.concat(parts)
}

/** Quotes as mboxrd does. */
export function quote(bytes: Uint8Array): Uint8Array {
  const at = [...quotable(bytes, 0, Number.POSITIVE_INFINITY)]
  if (at.length === 0) return bytes
  const parts: Uint8Array[] = []
  let from = 0
  for (const start of at) {
    parts.push(bytes.subarray(from, start), Buffer.from('>'))
    from = start
  }
  parts.push(bytes.subarray(from))
  return Buffer.concat(parts)
}

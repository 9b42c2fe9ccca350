/** Content lines and components: RFC 5545 §3.1, §3.4. Linear, within limits, never throws. */

export interface ContentLine {
  readonly name: string
  readonly parameters: ReadonlyMap<string, string>
  readonly value: string
}

export interface Component {
  readonly name: string
  readonly lines: ContentLine[]
  readonly inside: Component[]
}

/** Characters of a calendar that are read. */
export const MAX_CALENDAR = 512 * 1024
const MAX_LINES = 20_000
const MAX_DEPTH = 8

/** `name;parameter=value:value`; a colon inside quotes belongs to a parameter. */
function lineOf(text: string): ContentLine | undefined {
  let quoted = false
  let colon = -1
  for (let i = 0; i < text.length && colon < 0; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) quoted = !quoted
    else if (c === 0x3a && !quoted) colon = i
  }
  if (colon < 1) return undefined
  const [name = '', ...rest] = text.slice(0, colon).match(/(?:"[^"]*"|[^;"])+/g) ?? []
  const parameters = new Map<string, string>()
  for (const one of rest) {
    const equals = one.indexOf('=')
    if (equals > 0) parameters.set(one.slice(0, equals).trim().toUpperCase(), one.slice(equals + 1).replaceAll('"', ''))
  }
  return { name: name.trim().toUpperCase(), parameters, value: text.slice(colon + 1) }
}

/** The components of a file, inside of one without a name. What is not closed ends with the text. */
export function readComponents(text: string): Component {
  const root: Component = { name: '', lines: [], inside: [] }
  const open = [root]
  let skipped = 0
  const lines = text
    .slice(0, MAX_CALENDAR)
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/, MAX_LINES)
  for (const raw of lines) {
    const line = lineOf(raw)
    if (line === undefined) continue
    const current = open.at(-1) as Component
    if (line.name === 'BEGIN') {
      if (skipped > 0 || open.length > MAX_DEPTH) {
        skipped++
        continue
      }
      const made: Component = { name: line.value.trim().toUpperCase(), lines: [], inside: [] }
      current.inside.push(made)
      open.push(made)
    } else if (line.name === 'END') {
      if (skipped > 0) skipped--
      else if (open.length > 1) open.pop()
    } else if (skipped === 0) current.lines.push(line)
  }
  return root
}

export const firstLine = (component: Component | undefined, name: string): ContentLine | undefined =>
  component?.lines.find((line) => line.name === name)

/** RFC 5545 §3.3.11. */
export const textValue = (line: ContentLine | undefined): string =>
  (line?.value ?? '').replace(/\\([\\;,nN])/g, (_, c: string) => (c === 'n' || c === 'N' ? '\n' : c)).trim()

/** A time as it is written, ms as if it were UTC: RFC 5545 §3.3.4, §3.3.5. */
export interface WallTime {
  readonly wall: number
  readonly allDay: boolean
  readonly utc: boolean
}

export function wallTime(text: string): WallTime | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(text.trim())
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((one) => Number(one ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  if (year < 1601 || new Date(wall).getUTCDate() !== day || hour > 23 || minute > 59) return undefined
  return { wall, allDay: match[4] === undefined, utc: match[7] === 'Z' }
}

/** `-PT15M` in ms: RFC 5545 §3.3.6. */
export function durationOf(text: string): number | undefined {
  const match = /^([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$/.exec(
    text.trim(),
  )
  if (match === null) return undefined
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(2).map((one) => Number(one ?? 0))
  const size = ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  return match[1] === '-' ? -size : size
}

import { partText } from './bodies.ts'
import type { MessageBodies, MimePart } from './types.ts'

/** Characters of a report or an invitation that are looked at for the class. */
const WINDOW = 64 * 1024

/**
 * The message class a MIME message gets: [MS-OXCMAIL] §2.2.3.2.1, [MS-OXOCAL] §2.2.2.1, [MS-OXORMMS]. 'IPM.Note' unless the content says
 * otherwise.
 */
export function messageClass(
  bytes: Uint8Array,
  source: { readonly parts: readonly MimePart[] },
  bodies: MessageBodies,
): string {
  const root = source.parts[0]
  if (root === undefined) return 'IPM.Note'
  if (root.type === 'multipart' && root.subtype === 'signed') return 'IPM.Note.SMIME.MultipartSigned'
  if (root.type === 'application' && /^(?:x-)?pkcs7-mime$/.test(root.subtype)) return 'IPM.Note.SMIME'
  if (root.type === 'multipart' && root.subtype === 'report') return reportClass(bytes, source.parts, root)
  return bodies.calendar === undefined ? 'IPM.Note' : meetingClass(bytes, bodies.calendar)
}

/** RFC 3464 §2.3.3 and RFC 8098 §3.2.6. */
function reportClass(bytes: Uint8Array, parts: readonly MimePart[], root: MimePart): string {
  const kind = root.parameters.get('report-type')?.toLowerCase()
  const machine = parts.find((part) => part.parent === root.index && part.type === 'message')
  const text = machine === undefined ? '' : partText(bytes, machine, WINDOW)
  if (kind === 'disposition-notification' || machine?.subtype === 'disposition-notification') {
    const disposition = /^disposition:[^;\r\n]*;\s*([a-z]+)/im.exec(text)?.[1]?.toLowerCase()
    return disposition === 'deleted' ? 'REPORT.IPM.Note.IPNNRN' : 'REPORT.IPM.Note.IPNRN'
  }
  if (kind !== 'delivery-status' && machine?.subtype !== 'delivery-status') return 'IPM.Note'
  const actions = [...text.matchAll(/^action:[ \t]*([a-z]+)/gim)].map((match) => match[1]!.toLowerCase())
  if (actions.includes('failed')) return 'REPORT.IPM.Note.NDR'
  if (actions.includes('delayed')) return 'REPORT.IPM.Note.Delayed'
  if (actions.some((action) => action === 'delivered' || action === 'relayed' || action === 'expanded'))
    return 'REPORT.IPM.Note.DR'
  return 'REPORT.IPM.Note.NDR'
}

const RESPONSES: ReadonlyMap<string, string> = new Map([
  ['ACCEPTED', 'IPM.Schedule.Meeting.Resp.Pos'],
  ['DECLINED', 'IPM.Schedule.Meeting.Resp.Neg'],
  ['TENTATIVE', 'IPM.Schedule.Meeting.Resp.Tent'],
])

/** RFC 5546 §1.4 methods; the answer of an attendee decides the class of a REPLY. */
function meetingClass(bytes: Uint8Array, calendar: MimePart): string {
  const named = calendar.parameters.get('method')?.toUpperCase()
  const text =
    named === 'REQUEST' || named === 'CANCEL' ? '' : partText(bytes, calendar, WINDOW).replace(/\r?\n[ \t]/g, '')
  const method = named ?? /^METHOD:[ \t]*([A-Z]+)/im.exec(text)?.[1]?.toUpperCase()
  switch (method) {
    case 'REQUEST':
      return 'IPM.Schedule.Meeting.Request'
    case 'CANCEL':
      return 'IPM.Schedule.Meeting.Canceled'
    case 'COUNTER':
      return 'IPM.Schedule.Meeting.Resp.Tent'
    case 'REPLY': {
      const answer = /[;]PARTSTAT="?([A-Z-]+)/i.exec(text)?.[1]?.toUpperCase() ?? ''
      return RESPONSES.get(answer) ?? 'IPM.Note'
    }
    default:
      return 'IPM.Note'
  }
}

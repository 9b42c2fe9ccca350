/** Attachments of the demonstration: small, real files that their programs open. */

/** A PDF of one page with these lines: ISO 32000-1 §7.5. Latin-1 only. */
export function pdf(lines: readonly string[]): Uint8Array {
  const safe = (line: string): string => line.replace(/[\\()]/g, '\\$&').replace(/[^\x20-\xff]/g, '?')
  const text = `BT /F1 20 Tf 56 780 Td (${safe(lines[0] ?? '')}) Tj /F1 11 Tf ${lines
    .slice(1)
    .map((line) => `0 -22 Td (${safe(line)}) Tj`)
    .join(' ')} ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ]
  let out = '%PDF-1.4\n'
  const places = objects.map((object, i) => {
    const at = out.length
    out += `${i + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const table = out.length
  const rows = places.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`
  return Buffer.from(out, 'latin1')
}

export const csv = (rows: readonly (readonly (string | number)[])[]): Uint8Array =>
  Buffer.from(`${rows.map((row) => row.join(';')).join('\r\n')}\r\n`, 'utf8')

const stamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '')

/** A meeting request: RFC 5545, RFC 5546 §3.2.2. */
export const invitation = (meeting: {
  readonly uid: string
  readonly title: string
  readonly place: string
  readonly start: number
  readonly minutes: number
  readonly organizer: string
  readonly attendee: string
}): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Postrider//Demonstration//EN',
    'METHOD:REQUEST',
    'BEGIN:VEVENT',
    `UID:${meeting.uid}`,
    `DTSTAMP:${stamp(meeting.start - 4 * 86_400_000)}`,
    `DTSTART:${stamp(meeting.start)}`,
    `DTEND:${stamp(meeting.start + meeting.minutes * 60_000)}`,
    `SUMMARY:${meeting.title}`,
    `LOCATION:${meeting.place}`,
    `ORGANIZER:mailto:${meeting.organizer}`,
    `ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:${meeting.attendee}`,
    'SEQUENCE:0',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n')

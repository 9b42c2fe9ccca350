/** The TimeZone structure: [MS-ASDTYPE] §2.7.6, 172 bytes in base64. */
import type { Onset, Zone } from '@postrider/wire/calendar'

const SIZE = 172
/** WCHARs of a name; the last stays zero. */
const NAME = 31
const MINUTE = 60_000

/** A SYSTEMTIME of the relative kind: year 0, the week of the month where the day stands ([MS-DTYP] §2.3.13). */
function writeOnset(to: Buffer, at: number, onset: Onset | undefined): void {
  if (onset === undefined) return
  const minutes = Math.floor(onset.time / MINUTE)
  to.writeUInt16LE(onset.month, at + 2)
  to.writeUInt16LE(onset.day, at + 4)
  to.writeUInt16LE(onset.week, at + 6)
  to.writeUInt16LE(Math.floor(minutes / 60), at + 8)
  to.writeUInt16LE(minutes % 60, at + 10)
}

/** Minutes to add to the local time to get UTC, as the structure counts them. */
const bias = (offset: number): number => -Math.round(offset / MINUTE)

export function timeZone({ standard, daylight }: Zone): string {
  const bytes = Buffer.alloc(SIZE)
  bytes.writeInt32LE(bias(standard.offset), 0)
  bytes.write(standard.name.slice(0, NAME), 4, 'utf16le')
  if (daylight !== undefined) {
    writeOnset(bytes, 68, standard.onset)
    bytes.write(daylight.name.slice(0, NAME), 88, 'utf16le')
    writeOnset(bytes, 152, daylight.onset)
    bytes.writeInt32LE(bias(daylight.offset) - bias(standard.offset), 168)
  }
  return bytes.toString('base64')
}

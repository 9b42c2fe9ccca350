import { createHash } from 'node:crypto'
import { encodeUtf7 } from '@postrider/wire/imap'
import { type ExportFormat, MANIFEST } from './manifest.ts'

/** Linux takes 255 bytes; something is added behind. */
const MAX_BYTES = 200

const short = (name: string): string => {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12)
  let cut = name
  while (Buffer.byteLength(cut) > MAX_BYTES - 13) cut = [...cut].slice(0, -1).join('')
  return `${cut}~${hash}`
}

/** A folder's name as a file name that hides nothing and leads nowhere. The manifest keeps the true one. */
const fileName = (name: string): string =>
  short(/^\.|\.(?:mbox|sbd|mbx|eml)$|^(?:cur|new|tmp)$/i.test(name) || name === MANIFEST ? `_${name}` : name)

/** Where the mails of folders go, below the folder of the export: each its own place. */
export function placesOf(paths: readonly (readonly string[])[], inbox: number, format: ExportFormat): string[] {
  const taken = new Set<string>()
  return paths.map((path, i) => {
    let place: string
    if (format !== 'maildir') place = path.map(fileName).join('/')
    else if (i === inbox) place = '.'
    // Dots part the levels of Maildir++.
    else place = short(`.${path.map((name) => encodeUtf7(name).replace(/\./g, '&AC4-')).join('.')}`)
    if (format === 'mbox') place += '.mbox'
    let free = place
    for (let n = 2; taken.has(free); n++)
      free = format === 'mbox' ? place.replace(/\.mbox$/, `~${n}.mbox`) : `${place}~${n}`
    taken.add(free)
    return free
  })
}

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ExportFolder } from './exporter.ts'
import { withLf } from './line-ends.ts'
import { fromLine, quote } from './mbox-lines.ts'
import { writeStatus } from './mbox-status.ts'
import { AtomicFile } from './write-file.ts'

const LF = 10

/** One mboxrd file. Flags and UIDs stand in front of each mail, the date in its From line. */
export async function writeMbox({ at, folder, mails, onMail }: ExportFolder): Promise<void> {
  mkdirSync(dirname(at), { recursive: true })
  const file = new AtomicFile(at)
  let base: { validity: number; next: number } | undefined = { validity: folder.uidValidity, next: folder.uidNext }
  try {
    for (const mail of mails) {
      const text = await mail.text()
      if (text === undefined) continue
      const { uid, flags, keywords, received } = mail
      const status = writeStatus({ uid, flags, keywords, ...(base === undefined ? {} : { base }) })
      base = undefined
      const body = quote(withLf(text.bytes))
      file.write(Buffer.from(`${fromLine(text.sender, received)}\n${status}`))
      file.write(body)
      file.write(Buffer.from(body.at(-1) === LF ? '\n' : '\n\n'))
      onMail(text.bytes.length)
    }
    file.end()
  } catch (error) {
    file.abandon()
    throw error
  }
}

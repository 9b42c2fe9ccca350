/** How the mails of the corpus are written down. Text is one character an octet (latin1), so that any octet can stand in it. */

/** One mail and how it is filed. */
export interface CorpusMail {
  /** Says what is odd about it; unique. */
  readonly name: string
  readonly bytes: Buffer
  /** IMAP flags, space-separated, may be empty. */
  readonly flags: string
  /** IMAP date-time without quotes: `17-Jul-1996 02:44:25 -0700`. */
  readonly date: string
}

/** A mail before flags and date are dealt out. */
export interface Draft {
  readonly name: string
  readonly text: string
}

/** UTF-8 octets as one character each. */
export const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** Lines ended by CRLF, the last one too. */
export const crlf = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('')

const EVERYDAY = [
  'From: Ann Sender <ann@sender.example>',
  'To: Bob Reader <bob@reader.example>',
  'Date: Fri, 20 Nov 2026 10:11:12 +0000',
  'MIME-Version: 1.0',
]

/** A mail with an everyday header in front of `header`; its Subject and Message-ID are its name. */
export function mail(name: string, header: readonly string[], ...body: string[]): Draft {
  const id = name.replace(/[^a-z0-9]+/gi, '-')
  return raw(name, crlf(...EVERYDAY, `Subject: ${name}`, `Message-ID: <${id}@corpus.example>`, ...header, '', ...body))
}

/** A mail whose every octet is given. */
export function raw(name: string, text: string): Draft {
  return { name, text }
}

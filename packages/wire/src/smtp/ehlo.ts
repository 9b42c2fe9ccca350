/** The capability list of EHLO (RFC 5321 §4.1.1.1), both directions. */
import { type SmtpReply, smtpReply } from './reply.ts'
import type { ReceivedReply } from './reply-receiver.ts'

/** What a peer offers. */
export interface EhloCapabilities {
  /** Every keyword, upper-cased, with its parameters as sent. */
  keywords: ReadonlyMap<string, readonly string[]>
  pipelining: boolean
  eightBitMime: boolean
  smtpUtf8: boolean
  chunking: boolean
  binaryMime: boolean
  dsn: boolean
  startTls: boolean
  enhancedStatusCodes: boolean
  /** SIZE was offered; `maxSize` is undefined when without a figure or 0 (no limit: RFC 1870 §4). */
  size: boolean
  maxSize: number | undefined
  /** SASL mechanisms, upper-cased. */
  auth: readonly string[]
}

/** Reads the answer to EHLO; of a HELO answer it reads an empty list. */
export function parseEhlo(reply: ReceivedReply): EhloCapabilities {
  const keywords = new Map<string, readonly string[]>()
  const auth = new Set<string>()
  for (const line of reply.lines.slice(1)) {
    // "AUTH=PLAIN" is how servers before RFC 2554 wrote it.
    const words = line
      .replace(/^AUTH=/i, 'AUTH ')
      .split(' ')
      .filter((word) => word !== '')
    const keyword = words.shift()?.toUpperCase()
    if (keyword === undefined) continue
    if (keyword === 'AUTH') for (const mechanism of words) auth.add(mechanism.toUpperCase())
    keywords.set(keyword, words)
  }
  const figure = keywords.get('SIZE')?.[0]
  const maxSize = figure !== undefined && /^\d{1,15}$/.test(figure) ? Number(figure) : 0
  return {
    keywords,
    pipelining: keywords.has('PIPELINING'),
    eightBitMime: keywords.has('8BITMIME'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    chunking: keywords.has('CHUNKING'),
    binaryMime: keywords.has('BINARYMIME'),
    dsn: keywords.has('DSN'),
    startTls: keywords.has('STARTTLS'),
    enhancedStatusCodes: keywords.has('ENHANCEDSTATUSCODES'),
    size: keywords.has('SIZE'),
    maxSize: maxSize === 0 ? undefined : maxSize,
    auth: [...auth],
  }
}

/** The answer to EHLO: our name and a greeting, then one keyword a line. */
export function ehloReply(host: string, greeting: string, keywords: readonly string[]): SmtpReply {
  return smtpReply(250, undefined, `${host} ${greeting}`, ...keywords)
}

/**
 * Blocked and safe senders: addresses and domains. Mail of a blocked one goes to Junk Email as it is delivered, that of a safe one never does.
 * Kept as one record under {@link DELIVERY_STATE}. [MS-OXCSPAM] §2.2.2.
 */
export const SENDERS_KEY = 'senders'
export const MAX_SENDERS = 1_024
export const MAX_SENDER = 320

export interface SenderLists {
  /** Addresses, or domains with or without `@` before them; lower case. */
  readonly blocked: readonly string[]
  readonly safe: readonly string[]
}

/** The form an entry is kept in; undefined for what is neither an address nor a domain. */
export function senderEntry(text: string): string | undefined {
  const entry = text.trim().toLowerCase().replace(/^@/, '')
  return entry.length <= MAX_SENDER && /^(?:[^\s@<>,;"]+@)?[^\s@<>,;"]+\.[^\s@<>,;".]+$/u.test(entry)
    ? entry
    : undefined
}

/** What the lists say of a sender. A safe address beats a blocked domain, a blocked address a safe domain. */
export function senderVerdict(lists: SenderLists, address: string): 'blocked' | 'safe' | undefined {
  const whole = address.toLowerCase()
  if (lists.safe.includes(whole)) return 'safe'
  if (lists.blocked.includes(whole)) return 'blocked'
  const domains: string[] = []
  for (let domain = whole.slice(whole.lastIndexOf('@') + 1); domain !== ''; ) {
    domains.push(domain)
    const dot = domain.indexOf('.')
    if (dot < 0) break
    domain = domain.slice(dot + 1)
  }
  if (domains.some((one) => lists.safe.includes(one))) return 'safe'
  return domains.some((one) => lists.blocked.includes(one)) ? 'blocked' : undefined
}

export const encodeSenders = ({ blocked, safe }: SenderLists): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ v: 1, blocked, safe }))

/** What `encodeSenders` wrote; empty lists for anything else. */
export function decodeSenders(bytes: Uint8Array | undefined): SenderLists {
  const none: SenderLists = { blocked: [], safe: [] }
  if (bytes === undefined || bytes.length === 0) return none
  try {
    const raw = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>
    const texts = (value: unknown): string[] =>
      Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
    return raw.v === 1 ? { blocked: texts(raw.blocked), safe: texts(raw.safe) } : none
  } catch {
    return none
  }
}

/**
 * The focused inbox (R54): whether a mail is one to read now or one of the rest. A few rules everybody can follow, a little learnt from what the
 * user moves, and what the user says of a sender always wins. Nothing is moved between folders. The answer is a property of the item, so
 * every client has the same one.
 */
import { HeaderFields } from '@postrider/wire/mime'
import type { MailFacts } from './rules.ts'

/** The record's key under DELIVERY_STATE. Without a record the inbox is not parted. */
export const FOCUS_KEY = 'focus'

export type Inference = 'focused' | 'other'

export interface FocusRecord {
  readonly enabled: boolean
  /** Senders the user decided about. */
  readonly senders: Readonly<Record<string, Inference>>
  /** What was learnt, by feature. */
  readonly weights: Readonly<Record<string, number>>
}

/** Why a mail is where it is, the strongest first. */
export const focusReasons = ['sender', 'list', 'program', 'toMe', 'notToMe', 'colleague', 'answer', 'learned'] as const
export type FocusReason = (typeof focusReasons)[number]

const MAX_SENDERS = 1_000
const MAX_WEIGHTS = 4_096
const MAX_WORDS = 12
const RATE = 0.6
const STEPS = 4

/** The rules: what each feature is worth before anything is learnt. */
const prior: Readonly<Record<string, number>> = {
  always: 0.4,
  list: -3,
  program: -2,
  toMe: 1.2,
  notToMe: -0.8,
  colleague: 2,
  answer: 1.8,
}

const program =
  /^(?:no-?_?reply|do-?not-?reply|notifications?|news(?:letter)?|mailer|bounces?|alerts?|marketing|info)\b/i

/** The features of a mail; `learned:` ones have no prior. `own`: the user's addresses, lower case. */
function featuresOf(facts: MailFacts, own: ReadonlySet<string>): string[] {
  const from = facts.fromAddress.toLowerCase()
  const domain = from.slice(from.indexOf('@') + 1)
  const domains = new Set([...own].map((one) => one.slice(one.indexOf('@') + 1)))
  const out = ['always']
  if (facts.automatic) out.push('list')
  if (program.test(from)) out.push('program')
  const mine = (list: MailFacts['to']): boolean => list.some(({ address }) => own.has(address.toLowerCase()))
  out.push(mine(facts.to) ? 'toMe' : 'notToMe')
  if (domains.has(domain) && !facts.automatic) out.push('colleague')
  if (new HeaderFields(Buffer.from(facts.header, 'latin1')).has('in-reply-to')) out.push('answer')
  out.push(`learned:from:${from}`, `learned:domain:${domain}`)
  const words =
    facts.subject
      .normalize('NFC')
      .toLowerCase()
      .match(/\p{L}{4,20}/gu) ?? []
  for (const word of new Set(words.slice(0, MAX_WORDS))) out.push(`learned:word:${word}`)
  return out
}

const worth = (record: FocusRecord, feature: string): number =>
  (Object.hasOwn(prior, feature) ? (prior[feature] as number) : 0) +
  (Object.hasOwn(record.weights, feature) ? (record.weights[feature] as number) : 0)

/** Where a mail belongs, and why. */
export function inferenceOf(
  record: FocusRecord,
  facts: MailFacts,
  own: ReadonlySet<string>,
): { readonly inference: Inference; readonly reasons: readonly FocusReason[] } {
  const from = facts.fromAddress.toLowerCase()
  if (Object.hasOwn(record.senders, from)) return { inference: record.senders[from] as Inference, reasons: ['sender'] }
  const features = featuresOf(facts, own)
  const sum = features.reduce((all, one) => all + worth(record, one), 0)
  const inference = sum >= 0 ? 'focused' : 'other'
  const sign = sum >= 0 ? 1 : -1
  const learned = features.filter((one) => one.startsWith('learned:')).reduce((all, one) => all + worth(record, one), 0)
  const reasons = [
    ...features.flatMap((one) =>
      (focusReasons as readonly string[]).includes(one) && worth(record, one) * sign > 0
        ? [{ reason: one as FocusReason, by: worth(record, one) * sign }]
        : [],
    ),
    ...(learned * sign > 0.2 ? [{ reason: 'learned' as const, by: learned * sign }] : []),
  ]
  return { inference, reasons: reasons.sort((a, b) => b.by - a.by).map((one) => one.reason) }
}

/** The user moved a mail: a few steps of logistic regression, and at the second word about a sender a decision. */
export function learnFocus(
  record: FocusRecord,
  facts: MailFacts,
  own: ReadonlySet<string>,
  to: Inference,
): FocusRecord {
  const from = facts.fromAddress.toLowerCase()
  const features = featuresOf(facts, own)
  const weights = new Map(Object.entries(record.weights))
  const wanted = to === 'focused' ? 1 : 0
  const told = weights.get(`learned:from:${from}`) ?? 0
  for (let step = 0; step < STEPS; step++) {
    const sum = features.reduce((all, one) => all + (prior[one] ?? 0) + (weights.get(one) ?? 0), 0)
    const error = wanted - 1 / (1 + Math.exp(-sum))
    for (const one of features) {
      // What is the sender's own counts most; the rules for everybody change slowly.
      const share = one.startsWith('learned:from:') ? 1.5 : one.startsWith('learned:') ? 0.5 : 0.1
      const before = weights.get(one) ?? 0
      weights.delete(one)
      weights.set(one, Math.round((before + RATE * share * error) * 1_000) / 1_000)
    }
  }
  for (const old of weights.keys()) {
    if (weights.size <= MAX_WEIGHTS) break
    weights.delete(old)
  }
  const senders = Object.entries(record.senders).filter(([one]) => one !== from)
  const decided = told !== 0 && told > 0 === (to === 'focused')
  if (decided) senders.push([from, to])
  return {
    ...record,
    weights: Object.fromEntries(weights),
    senders: Object.fromEntries(senders.slice(-MAX_SENDERS)),
  }
}

export const encodeFocus = (record: FocusRecord): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ v: 1, ...record }))

const noFocus: FocusRecord = { enabled: false, senders: {}, weights: {} }

/** What `encodeFocus` wrote; off for anything else. */
export function decodeFocus(bytes: Uint8Array | undefined): FocusRecord {
  if (bytes === undefined || bytes.length === 0) return noFocus
  try {
    const raw = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>
    const object = (value: unknown): Readonly<Record<string, unknown>> =>
      typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
    if (raw.v !== 1) return noFocus
    const senders = Object.entries(object(raw.senders)).filter(([, to]) => to === 'focused' || to === 'other')
    const weights = Object.entries(object(raw.weights)).filter(([, weight]) => Number.isFinite(weight))
    return {
      enabled: raw.enabled === true,
      senders: Object.fromEntries(senders) as Record<string, Inference>,
      weights: Object.fromEntries(weights) as Record<string, number>,
    }
  } catch {
    return noFocus
  }
}

/**
 * Inbox rules: what a user wants done with mail as it is delivered, in the order of the list. Clients write them (JMAP, Light), the transport
 * runs them, the web tries them on mail that is there. The words are Exchange's: [MS-OXORULE], New-InboxRule.
 */
import type { FolderId } from './ids.ts'

/** `putState`/`state` client of everything that decides about deliveries, and the key of the rules in it. */
export const DELIVERY_STATE = 'delivery'
export const RULES_KEY = 'rules'

export const MAX_RULES = 256
/** Words or addresses of one condition, and characters of one. */
export const MAX_RULE_WORDS = 100
export const MAX_RULE_TEXT = 512
/** Addresses one rule may send to. */
export const MAX_RULE_TARGETS = 10

/** Each given one must hold; of its words one is enough. */
export interface RuleConditions {
  /** Whole addresses. */
  readonly from?: readonly string[]
  /** Parts of the sender's name or address. */
  readonly fromContains?: readonly string[]
  /** Whole addresses among To and Cc. */
  readonly sentTo?: readonly string[]
  readonly recipientContains?: readonly string[]
  readonly subjectContains?: readonly string[]
  readonly bodyContains?: readonly string[]
  readonly subjectOrBodyContains?: readonly string[]
  readonly headerContains?: readonly string[]
  /** How the mail names the user: alone in To; in To; in Cc; in either; not at all. */
  readonly toMe?: 'only' | 'to' | 'cc' | 'toOrCc' | 'not'
  readonly hasAttachment?: boolean
  /** Octets, inclusive. */
  readonly minSize?: number
  readonly maxSize?: number
  readonly importance?: 'low' | 'normal' | 'high'
  /** Mail of lists and programs. */
  readonly automatic?: boolean
}

export interface RuleActions {
  readonly moveTo?: FolderId
  readonly copyTo?: FolderId
  readonly categories?: readonly string[]
  readonly markRead?: boolean
  readonly flag?: boolean
  /** Into Deleted Items, or out of the user's sight for good (it can be recovered for a while). */
  readonly remove?: 'trash' | 'forever'
  readonly forwardTo?: readonly string[]
  readonly redirectTo?: readonly string[]
}

export interface Rule {
  readonly id: string
  readonly name: string
  readonly enabled: boolean
  readonly conditions: RuleConditions
  readonly exceptions: RuleConditions
  readonly actions: RuleActions
  /** No rule after this one is looked at. */
  readonly stop: boolean
}

export interface RuleRecord {
  /** Rises with every change. */
  readonly change: number
  readonly next: number
  readonly rules: readonly Rule[]
}

/** What the conditions look at. Texts may be as they are; they are compared without case. */
export interface MailFacts {
  readonly fromAddress: string
  readonly fromName: string
  readonly to: readonly { readonly name: string; readonly address: string }[]
  readonly cc: readonly { readonly name: string; readonly address: string }[]
  readonly subject: string
  readonly size: number
  readonly hasAttachments: boolean
  readonly importance: 0 | 1 | 2
  /** These three if some rule asks: {@link rulesReadMessage}. */
  readonly header: string
  readonly body: string
  readonly automatic: boolean
}

/** What the rules want done. */
export interface RuleOutcome {
  /** Names of the rules that matched, in order. */
  readonly matched: readonly string[]
  readonly moveTo: FolderId | undefined
  readonly copies: readonly FolderId[]
  readonly categories: readonly string[]
  readonly markRead: boolean
  readonly flag: boolean
  readonly remove: 'trash' | 'forever' | undefined
  readonly forwardTo: readonly string[]
  readonly redirectTo: readonly string[]
}

const fold = (text: string): string => text.normalize('NFC').toLowerCase()

/** Whether a rule looks into the message itself, beyond what lists know of it. */
export const rulesReadMessage = (rules: readonly Rule[]): boolean =>
  rules.some(
    ({ enabled, conditions, exceptions }) =>
      enabled &&
      [conditions, exceptions].some(
        (one) =>
          one.bodyContains !== undefined ||
          one.subjectOrBodyContains !== undefined ||
          one.headerContains !== undefined ||
          one.automatic !== undefined,
      ),
  )

/** Runs the rules over one mail of `own` (the user's addresses, lower case). Linear in texts and words. */
export function runRules(rules: readonly Rule[], facts: MailFacts, own: ReadonlySet<string>): RuleOutcome {
  const matched: string[] = []
  const copies = new Set<FolderId>()
  const categories = new Set<string>()
  const forwardTo = new Set<string>()
  const redirectTo = new Set<string>()
  let moveTo: FolderId | undefined
  let markRead = false
  let flag = false
  let remove: RuleOutcome['remove']
  for (const rule of rules) {
    if (!rule.enabled || !ruleMatches(rule, facts, own)) continue
    matched.push(rule.name)
    const { actions } = rule
    // The first that moves or deletes decides; what later ones would do with the mail's place is copied, as Exchange does.
    if (actions.moveTo !== undefined) {
      if (moveTo === undefined) moveTo = actions.moveTo
      else if (actions.moveTo !== moveTo) copies.add(actions.moveTo)
    }
    if (actions.copyTo !== undefined) copies.add(actions.copyTo)
    for (const one of actions.categories ?? []) categories.add(one)
    markRead ||= actions.markRead === true
    flag ||= actions.flag === true
    remove ??= actions.remove
    for (const one of actions.forwardTo ?? []) forwardTo.add(one)
    for (const one of actions.redirectTo ?? []) redirectTo.add(one)
    if (rule.stop || actions.remove !== undefined) break
  }
  return {
    matched,
    moveTo,
    copies: [...copies],
    categories: [...categories],
    markRead,
    flag,
    remove,
    forwardTo: [...forwardTo],
    redirectTo: [...redirectTo],
  }
}

/** Whether all conditions hold and no exception does. A rule without conditions is for every mail. */
export function ruleMatches(
  { conditions, exceptions }: Pick<Rule, 'conditions' | 'exceptions'>,
  facts: MailFacts,
  own: ReadonlySet<string>,
): boolean {
  return holding(conditions, facts, own).every((one) => one) && !holding(exceptions, facts, own).some((one) => one)
}

/** Each given condition, whether it holds. */
function holding(conditions: RuleConditions, facts: MailFacts, own: ReadonlySet<string>): boolean[] {
  const out: boolean[] = []
  const contains = (words: readonly string[] | undefined, ...texts: readonly string[]): void => {
    if (words === undefined) return
    const folded = texts.map(fold)
    out.push(words.some((word) => folded.some((text) => text.includes(fold(word)))))
  }
  const people = [...facts.to, ...facts.cc]
  const addresses = new Set(people.map((one) => one.address.toLowerCase()))
  const { from, sentTo, toMe, hasAttachment, minSize, maxSize, importance, automatic } = conditions
  if (from !== undefined) out.push(from.some((one) => one.toLowerCase() === facts.fromAddress.toLowerCase()))
  contains(conditions.fromContains, facts.fromName, facts.fromAddress)
  if (sentTo !== undefined) out.push(sentTo.some((one) => addresses.has(one.toLowerCase())))
  contains(conditions.recipientContains, ...people.flatMap(({ name, address }) => [name, address]))
  contains(conditions.subjectContains, facts.subject)
  contains(conditions.bodyContains, facts.body)
  contains(conditions.subjectOrBodyContains, facts.subject, facts.body)
  contains(conditions.headerContains, facts.header)
  if (toMe !== undefined) {
    const mine = (list: MailFacts['to']): boolean => list.some(({ address }) => own.has(address.toLowerCase()))
    const inTo = mine(facts.to)
    const inCc = mine(facts.cc)
    out.push(
      {
        only: inTo && facts.to.length === 1 && facts.cc.length === 0,
        to: inTo,
        cc: inCc,
        toOrCc: inTo || inCc,
        not: !inTo && !inCc,
      }[toMe],
    )
  }
  if (hasAttachment !== undefined) out.push(facts.hasAttachments === hasAttachment)
  if (minSize !== undefined) out.push(facts.size >= minSize)
  if (maxSize !== undefined) out.push(facts.size <= maxSize)
  if (importance !== undefined) out.push(['low', 'normal', 'high'].indexOf(importance) === facts.importance)
  if (automatic !== undefined) out.push(facts.automatic === automatic)
  return out
}

const emptyRules: RuleRecord = { change: 0, next: 1, rules: [] }
export const encodeRules = (record: RuleRecord): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ v: 1, ...record }))

/** What `encodeRules` wrote; no rules for anything else (a lost list must not stop mail). */
export function decodeRules(bytes: Uint8Array | undefined): RuleRecord {
  if (bytes === undefined || bytes.length === 0) return emptyRules
  try {
    const raw = JSON.parse(new TextDecoder().decode(bytes)) as Partial<RuleRecord> & { readonly v?: unknown }
    if (raw.v !== 1 || !Array.isArray(raw.rules)) return emptyRules
    return { change: Number(raw.change) || 0, next: Number(raw.next) || 1, rules: raw.rules }
  } catch {
    return emptyRules
  }
}

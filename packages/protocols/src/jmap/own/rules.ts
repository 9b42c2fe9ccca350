/** Rule/get, /set: what is to be done with mail as it is delivered. Rule/run: the same on mail that is there already. */
import {
  decodeRules,
  DELIVERY_STATE,
  encodeRules,
  Flag,
  type Folder,
  type FolderId,
  type Item,
  type ItemColumn,
  mailFacts,
  MAX_RULE_TARGETS,
  MAX_RULE_TEXT,
  MAX_RULE_WORDS,
  MAX_RULES,
  namedProperties,
  type Operation,
  type Rule,
  type RuleActions,
  type RuleConditions,
  RULES_KEY,
  type RuleOutcome,
  type RuleRecord,
  rulesReadMessage,
  runRules,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { emailIdOf, mailboxIdOf, readMailboxId } from '../core/ids.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  checkSetSize,
  getArgs,
  patchedObject,
  pick,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
} from '../core/standard.ts'
import { itemsOf } from '../mail/email-get.ts'
import { categoriesOf } from '../mail/extras.ts'
import { merged } from '../mail/place.ts'
import { received, type View } from '../view/view.ts'

const properties = ['id', 'name', 'isEnabled', 'conditions', 'exceptions', 'actions', 'stop'] as const

const absent = <T>(shape: s.Shape<T>): s.Absent<T | undefined> => s.optional<T | undefined>(shape, undefined)
const word: s.Shape<string> = (value, path) => {
  const text = s.string(value, path).trim()
  if (text === '' || text.length > MAX_RULE_TEXT) throw new s.Misfit(path, 'a word')
  return text
}
const words: s.Shape<readonly string[]> = (value, path) => {
  const list = s.list(word)(value, path)
  if (list.length === 0 || list.length > MAX_RULE_WORDS) throw new s.Misfit(path, 'a list of words')
  return [...new Set(list)]
}
const targets: s.Shape<readonly string[]> = (value, path) => {
  const list = words(value, path)
  if (list.length > MAX_RULE_TARGETS || !list.every((one) => /^[^\s@<>]+@[^\s@<>]+$/u.test(one)))
    throw new s.Misfit(path, 'a list of addresses')
  return list
}
const conditionFields = {
  from: absent(words),
  fromContains: absent(words),
  sentTo: absent(words),
  recipientContains: absent(words),
  subjectContains: absent(words),
  bodyContains: absent(words),
  subjectOrBodyContains: absent(words),
  headerContains: absent(words),
  toMe: absent(s.oneOf('only', 'to', 'cc', 'toOrCc', 'not')),
  hasAttachment: absent(s.boolean),
  minSize: absent(s.unsigned),
  maxSize: absent(s.unsigned),
  importance: absent(s.oneOf('low', 'normal', 'high')),
  automatic: absent(s.boolean),
} as const
const conditions = s.object(conditionFields)
const actions = s.object({
  moveTo: absent(s.idOrCreation),
  copyTo: absent(s.idOrCreation),
  categories: absent(words),
  markRead: absent(s.boolean),
  flag: absent(s.boolean),
  remove: absent(s.oneOf('trash', 'forever')),
  forwardTo: absent(targets),
  redirectTo: absent(targets),
})
const ruleShape = s.object({
  name: s.optional(s.string, ''),
  isEnabled: s.optional(s.boolean, true),
  conditions: s.optional<JsonObject>(s.jsonObject, {}),
  exceptions: s.optional<JsonObject>(s.jsonObject, {}),
  actions: s.jsonObject,
  stop: s.optional(s.boolean, true),
})

const given = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T

export async function readRules({ handle }: Account): Promise<RuleRecord> {
  const entries = await handle.state(DELIVERY_STATE, RULES_KEY)
  return decodeRules(entries.find(({ key }) => key === RULES_KEY)?.value)
}

function shown(rule: Rule): Record<string, Json> {
  const { moveTo, copyTo, ...rest } = rule.actions
  return {
    id: rule.id,
    name: rule.name,
    isEnabled: rule.enabled,
    conditions: rule.conditions as JsonObject,
    exceptions: rule.exceptions as JsonObject,
    actions: {
      ...(moveTo === undefined ? {} : { moveTo: mailboxIdOf(moveTo) }),
      ...(copyTo === undefined ? {} : { copyTo: mailboxIdOf(copyTo) }),
      ...rest,
    } as JsonObject,
    stop: rule.stop,
  }
}

function taken(call: Call, view: View, id: string, object: JsonObject): Rule {
  const wanted = ruleShape(object, '')
  const { moveTo, copyTo, ...rest } = actions(wanted.actions, 'actions')
  const folder = (mailbox: string): FolderId => {
    const found = readMailboxId(call.resolve(mailbox) ?? '')
    if (found === undefined || !view.folders.has(found)) throw invalidProperties(['actions'], 'no such mailbox')
    return found
  }
  const done: RuleActions = given({
    ...rest,
    moveTo: moveTo === undefined ? undefined : folder(moveTo),
    copyTo: copyTo === undefined ? undefined : folder(copyTo),
  }) as RuleActions
  if (Object.keys(done).length === 0) throw invalidProperties(['actions'], 'the rule does nothing')
  if (wanted.name.length > MAX_RULE_TEXT) throw invalidProperties(['name'])
  return {
    id,
    name: wanted.name.trim(),
    enabled: wanted.isEnabled,
    conditions: given(conditions(wanted.conditions, 'conditions')) as RuleConditions,
    exceptions: given(conditions(wanted.exceptions, 'exceptions')) as RuleConditions,
    actions: done,
    stop: wanted.stop,
  }
}

export const ruleGet = method({
  name: 'Rule/get',
  capability: 'postrider',
  args: getArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'postrider')
    const wanted = wantedProperties(args.properties, properties)
    const { rules, change } = await readRules(account)
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const list = ids === null ? rules : rules.filter((one) => ids.includes(one.id))
    return {
      accountId: args.accountId,
      state: String(change),
      list: list.map((one) => pick(shown(one), wanted)),
      notFound: (ids ?? []).filter((id) => !list.some((one) => one.id === id)),
    }
  },
})

export const ruleSet = method({
  name: 'Rule/set',
  capability: 'postrider',
  args: { ...setArgs, order: s.maybe(s.list(s.idOrCreation)) },
  async run(call, args) {
    checkSetSize(args)
    const account = await call.account(args.accountId, 'postrider')
    const view = await call.view(account)
    return call.jmap.records.inTurn(account.handle.mailbox, 'rules', async () => {
      const before = await readRules(account)
      if (args.ifInState !== null && args.ifInState !== String(before.change)) throw new MethodError('stateMismatch')
      const outcome = new SetOutcome()
      let rules = [...before.rules]
      let { next } = before
      const made: [string, string][] = []
      for (const [creation, object] of args.create ?? []) {
        try {
          if (rules.length >= MAX_RULES) throw new SetError('rateLimit', `there are ${MAX_RULES} already`)
          const rule = taken(call, view, `R${next}`, object)
          next++
          rules.push(rule)
          call.remember(creation, rule.id)
          made.push([creation, rule.id])
        } catch (error) {
          outcome.notCreated(creation, error)
        }
      }
      for (const [key, patch] of args.update ?? []) {
        const id = call.resolve(key) ?? key
        try {
          const found = rules.find((one) => one.id === id)
          if (found === undefined) throw new SetError('notFound')
          const { id: same, ...patched } = patchedObject(shown(found), patch)
          if (same !== id) throw invalidProperties(['id'])
          const rule = taken(call, view, id, patched)
          rules = rules.map((one) => (one.id === id ? rule : one))
          outcome.updated(id)
        } catch (error) {
          outcome.notUpdated(key, error)
        }
      }
      for (const key of args.destroy ?? []) {
        const id = call.resolve(key) ?? key
        if (rules.some((one) => one.id === id)) {
          rules = rules.filter((one) => one.id !== id)
          outcome.destroyed(id)
        } else outcome.notDestroyed(key, new SetError('notFound'))
      }
      if (args.order !== null) {
        const order = args.order.map((one) => call.resolve(one) ?? one)
        const rank = (rule: Rule): number => (order.includes(rule.id) ? order.indexOf(rule.id) : order.length)
        rules.sort((a, b) => rank(a) - rank(b))
      }
      const change = before.change + 1
      await account.handle.apply([
        { op: 'putState', client: DELIVERY_STATE, key: RULES_KEY, value: encodeRules({ change, next, rules }) },
      ])
      call.jmap.changed(account.handle.mailbox, 'Rule')
      for (const [creation, id] of made) outcome.created(creation, { id })
      return outcome.answer(args.accountId, String(before.change), String(change))
    })
  },
})

const idList: s.Shape<readonly string[]> = s.list(s.id)

/** Mails looked at in one call. */
const MAX_RUN = 5_000
const READ = 200

export const ruleRun = method({
  name: 'Rule/run',
  capability: 'postrider',
  args: {
    accountId: s.id,
    ids: idList,
    mailboxId: s.id,
    /** Only tells what would be done. */
    dryRun: s.optional(s.boolean, false),
    position: s.optional(s.unsigned, 0),
  },
  async run(call, args) {
    const account = await call.account(args.accountId, 'postrider')
    const view = await call.view(account)
    const folder = readMailboxId(args.mailboxId)
    if (folder === undefined || !view.folders.has(folder))
      throw new MethodError('invalidArguments', 'no such mailbox', { arguments: ['mailboxId'] })
    const { rules } = await readRules(account)
    // Tried is also what is switched off. What would be sent on is not: those mails were delivered long ago.
    const some = rules.filter((one) => args.ids.includes(one.id)).map((one) => ({ ...one, enabled: true }))
    const { entry } = account
    const own = new Set([entry.address, ...entry.aliases].map((one) => one.toLowerCase()))
    const whole = rulesReadMessage(some)
    const all = view.inFolder(folder)
    const mails = all.slice(args.position, args.position + MAX_RUN)
    const matched: string[] = []
    for (let at = 0; at < mails.length; at += READ) {
      const columns: ItemColumn[] = ['promoted', 'recipients', 'props', ...(whole ? ['original' as const] : [])]
      const operations: Operation[] = []
      for (const { mail, item } of await itemsOf(account, mails.slice(at, at + READ), columns)) {
        const bytes = whole && item.original !== undefined ? await account.handle.original(item) : undefined
        const facts = mailFacts(
          {
            promoted: item.promoted as NonNullable<Item['promoted']>,
            recipients: item.recipients ?? [],
            size: item.size,
          },
          bytes,
        )
        const outcome = runRules(some, facts, own)
        if (outcome.matched.length === 0) continue
        matched.push(emailIdOf(mail.id))
        const place = mail.places.find((one) => one.folder === folder)
        if (!args.dryRun && place !== undefined)
          operations.push(...operationsOf(view, folder, { ...item, mid: place.mid, flags: place.flags }, outcome))
      }
      if (operations.length > 0) await account.handle.apply(merged(operations))
    }
    const end = args.position + mails.length
    return {
      accountId: args.accountId,
      looked: mails.length,
      matched: matched.length,
      ids: matched.slice(0, 500),
      /** Where to go on; null at the end. What was moved away is no longer counted. */
      position: end >= all.length ? null : args.dryRun ? end : end - matched.length,
      newest: mails[0] === undefined ? null : received(mails[0]),
    }
  },
})

function operationsOf(view: View, folder: FolderId, item: Item, outcome: RuleOutcome): Operation[] {
  const items = { mids: [item.mid] }
  const out: Operation[] = []
  if (outcome.categories.length > 0) {
    const known = categoriesOf(item.props)
    const categories = [...new Set([...known, ...outcome.categories])]
    if (categories.length > known.length)
      out.push({ op: 'update', mid: item.mid, set: new Map([[namedProperties.keywords.tag, categories]]) })
  }
  const set = ((outcome.markRead ? Flag.seen : 0) | (outcome.flag ? Flag.flagged : 0)) & ~item.flags
  if (set !== 0) out.push({ op: 'flag', folder, items, set })
  for (const to of outcome.copies) if (view.folders.has(to)) out.push({ op: 'copy', from: folder, items, to })
  const folders: readonly Folder[] = view.allFolders
  const trash = folders.find((one) => one.role === 'deleteditems')?.id
  const to = outcome.remove === undefined ? outcome.moveTo : trash
  if (outcome.remove === 'forever') out.push({ op: 'remove', folder, items })
  else if (to !== undefined && to !== folder && folders.some((one) => one.id === to))
    out.push({ op: 'move', from: folder, items, to })
  return out
}

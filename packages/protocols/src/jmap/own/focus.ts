/**
 * The focused inbox: switched with the preference `focused`, taught by Email/set of `inference`, explained by Focus/explain. The record is what
 * the transport reads on delivery.
 */
import {
  decodeFocus,
  DELIVERY_STATE,
  encodeFocus,
  FOCUS_KEY,
  type FocusRecord,
  type Inference,
  inferenceOf,
  type Item,
  type ItemId,
  learnFocus,
  type MailFacts,
  mailFacts,
  namedProperties,
  type Operation,
} from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import { emailIdOf, readEmailId } from '../core/ids.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { wantedIds } from '../core/standard.ts'
import { itemsOf } from '../mail/email-get.ts'
import type { Jmap } from '../service.ts'
import type { Mail } from '../view/view.ts'

/** Octets of a mail that are looked at: its header. */
const HEADER = 16 * 1024
/** Mails of the Inbox that are parted when the switch goes on, the newest. */
const PARTED = 500
const READ = 50

async function readFocus({ handle }: Account): Promise<FocusRecord> {
  const entries = await handle.state(DELIVERY_STATE, FOCUS_KEY)
  return decodeFocus(entries.find(({ key }) => key === FOCUS_KEY)?.value)
}
const writeFocus = async ({ handle }: Account, record: FocusRecord): Promise<void> => {
  await handle.apply([{ op: 'putState', client: DELIVERY_STATE, key: FOCUS_KEY, value: encodeFocus(record) }])
}
const ownOf = ({ entry }: Account): ReadonlySet<string> =>
  new Set([entry.address, ...entry.aliases].map((one) => one.toLowerCase()))

async function factsOf(account: Account, item: Item): Promise<MailFacts> {
  const bytes = item.original === undefined ? undefined : await account.handle.original(item, 0, HEADER)
  const { promoted, recipients = [], size } = item
  return mailFacts({ promoted: promoted as NonNullable<Item['promoted']>, recipients, size }, bytes)
}
const columns = ['promoted', 'recipients', 'original', 'props'] as const

/** Turns the parting on or off; what is in the Inbox is parted in the background. */
export async function switchFocus(jmap: Jmap, account: Account, enabled: boolean): Promise<void> {
  const record = await readFocus(account)
  if (record.enabled === enabled) return
  await writeFocus(account, { ...record, enabled })
  if (!enabled) return
  part(jmap, account, record).catch((error: unknown) =>
    jmap.parts.log.warn({ err: error, account: account.entry.account }, 'the inbox could not be parted'),
  )
}

async function part(jmap: Jmap, account: Account, record: FocusRecord): Promise<void> {
  const view = await jmap.views.of(account.handle)
  const inbox = view.allFolders.find((one) => one.role === 'inbox')
  if (inbox === undefined) return
  const mails = view.inFolder(inbox.id).slice(0, PARTED)
  const own = ownOf(account)
  for (let at = 0; at < mails.length; at += READ) {
    const operations: Operation[] = []
    for (const { item } of await itemsOf(account, mails.slice(at, at + READ), columns)) {
      // What the user has put somewhere stays there.
      if (item.props?.has(namedProperties.inference.tag) === true) continue
      if (inferenceOf(record, await factsOf(account, item), own).inference === 'focused') continue
      operations.push({ op: 'update', mid: item.mid, set: new Map([[namedProperties.inference.tag, 1]]) })
    }
    if (operations.length > 0) await account.handle.apply(operations)
  }
}

/** The user moved mails between Focused and Other. */
export async function teachFocus(
  jmap: Jmap,
  account: Account,
  moved: readonly { readonly mail: Mail; readonly to: Inference }[],
): Promise<void> {
  if (moved.length === 0 || !account.personal) return
  await jmap.records.inTurn(account.handle.mailbox, 'focus', async () => {
    let record = await readFocus(account)
    // Who does not part the Inbox teaches nothing.
    if (!record.enabled) return
    const own = ownOf(account)
    const to = new Map(moved.map((one) => [one.mail.id, one.to]))
    // A hundred moved at once say no more than the first few.
    for (const { mail, item } of await itemsOf(
      account,
      moved.slice(0, READ).map((one) => one.mail),
      columns,
    ))
      record = learnFocus(record, await factsOf(account, item), own, to.get(mail.id) ?? 'focused')
    await writeFocus(account, record)
  })
}

const ids: s.Shape<readonly string[]> = s.list(s.idOrCreation)

export const focusExplain = method({
  name: 'Focus/explain',
  capability: 'postrider',
  args: { accountId: s.id, ids },
  async run(call, args) {
    const account = await call.account(args.accountId, 'postrider')
    const view = await call.view(account)
    const record = await readFocus(account)
    const own = ownOf(account)
    const wanted = wantedIds(call, args.ids)
    const mails = wanted.flatMap((id) => view.mail(readEmailId(id) as ItemId) ?? [])
    const list: unknown[] = []
    for (const { mail, item } of await itemsOf(account, mails, columns)) {
      const { inference, reasons } = inferenceOf(record, await factsOf(account, item), own)
      const now = item.props?.get(namedProperties.inference.tag) === 1 ? 'other' : 'focused'
      // What the user did to this very mail needs no other reason.
      list.push({ id: emailIdOf(mail.id), inference: now, reasons: now === inference ? reasons : ['moved'] })
    }
    return {
      accountId: args.accountId,
      list,
      notFound: wanted.filter((id) => view.mail(readEmailId(id) as ItemId) === undefined),
    }
  },
})

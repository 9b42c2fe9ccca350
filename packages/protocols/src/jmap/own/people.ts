/** Person/find: people, groups and rooms of the organisation's directory by the beginnings of words, with what it says about them. */
import type { GroupEntry, MailboxEntry } from '@postrider/domain'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'

const MAX_FOUND = 50
const MAX_TEXT = 200
const MAX_MEMBERS = 100

const kinds = { user: 'person', shared: 'shared', room: 'room', equipment: 'equipment', system: 'person' } as const

function shown(entry: MailboxEntry | GroupEntry): Readonly<Record<string, unknown>> {
  const { displayName: name, address: email } = entry
  if ('members' in entry) {
    const { members } = entry
    return { kind: 'group', name, email, members: members.slice(0, MAX_MEMBERS), memberCount: members.length }
  }
  const { title, department, company, office, phone, mobilePhone: mobile } = entry
  return { kind: kinds[entry.type], name, email, title, department, company, office, phone, mobile }
}

/** `text` empty: from the beginning. `total`: how many there are beyond `limit`. Hidden ones are not found. */
export const personFind = method({
  name: 'Person/find',
  capability: 'postrider',
  args: { accountId: s.id, text: s.string, limit: s.maybe(s.unsigned) },
  async run(call, args) {
    await call.account(args.accountId, 'postrider')
    const limit = Math.min(args.limit ?? MAX_FOUND, MAX_FOUND)
    const { entries, total } = call.jmap.parts.directory.find(args.text.slice(0, MAX_TEXT), limit)
    return { accountId: args.accountId, list: entries.map(shown), total }
  },
})

/** AutomaticReplies: the whole out-of-office record, inside and outside apart (R60). VacationResponse shows the same record more simply. */
import {
  decodeOof,
  encodeOof,
  MAX_OOF_MESSAGE,
  MAX_OOF_SUBJECT,
  OOF_STATE,
  type OofRecord,
  type OofReply,
} from '@postrider/domain'
import { invalidProperties } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import * as s from '../core/shape.ts'
import { singletonMethods } from '../core/singleton.ts'
import { writeUtcDate } from '../mail/header-forms.ts'

const reply = s.object({
  isEnabled: s.boolean,
  bodyType: s.oneOf('text', 'html'),
  message: s.string,
})
const shape = s.object({
  state: s.oneOf('disabled', 'enabled', 'scheduled'),
  // A null in a patch takes the property away: RFC 8620 §5.3.
  start: s.maybe(s.utcDate),
  end: s.maybe(s.utcDate),
  subject: s.maybe(s.string),
  inside: reply,
  contacts: reply,
  outside: reply,
})
const shownReply = ({ enabled, bodyType, message }: OofReply): Json => ({ isEnabled: enabled, bodyType, message })
const date = (time: number | undefined): string | null =>
  time === undefined || time <= 0 || time >= Date.UTC(9999, 0, 1) ? null : writeUtcDate(time)

export const [repliesGet, repliesSet] = singletonMethods<OofRecord>({
  name: 'AutomaticReplies',
  capability: 'postrider',
  properties: ['state', 'start', 'end', 'subject', 'inside', 'contacts', 'outside'],
  async read({ handle }) {
    const entries = await handle.state(OOF_STATE.client, OOF_STATE.key)
    return decodeOof(entries.find(({ key }) => key === OOF_STATE.key)?.value)
  },
  shown: (oof) => ({
    state: oof.state,
    start: date(oof.start),
    end: date(oof.end),
    subject: oof.subject ?? null,
    inside: shownReply(oof.replies.internal),
    contacts: shownReply(oof.replies.externalKnown),
    outside: shownReply(oof.replies.externalUnknown),
  }),
  taken(patched, before, call) {
    const { state, start, end, subject, inside, contacts, outside } = shape(patched, '')
    if (state === 'scheduled' && (start === null || end === null || end <= start))
      throw invalidProperties(['start', 'end'])
    if ((subject ?? '').length > MAX_OOF_SUBJECT) throw invalidProperties(['subject'])
    const of = (name: string, one: typeof inside, was: OofReply): OofReply => {
      if (one.message.length > MAX_OOF_MESSAGE) throw invalidProperties([name], 'too long')
      const same = one.bodyType === was.bodyType && one.message === was.message
      return { ...(same ? was : { bodyType: one.bodyType, message: one.message }), enabled: one.isEnabled }
    }
    return {
      state,
      start: start ?? undefined,
      end: end ?? undefined,
      ...(subject === null || subject.trim() === '' ? {} : { subject }),
      replies: {
        internal: of('inside', inside, before.replies.internal),
        externalKnown: of('contacts', contacts, before.replies.externalKnown),
        externalUnknown: of('outside', outside, before.replies.externalUnknown),
      },
      changed: call.jmap.parts.clock.now(),
    }
  },
  async write({ handle }, value) {
    await handle.apply([{ op: 'putState', ...OOF_STATE, value: encodeOof(value) }])
  },
})

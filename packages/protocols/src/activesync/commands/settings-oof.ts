/** Settings: Oof. [MS-ASCMD] §2.2.3.122. The record is the domain's (domain/oof.ts); the transport answers mail by it. */
import {
  decodeOof,
  encodeOof,
  MAX_OOF_MESSAGE,
  OOF_STATE,
  type OofAudience,
  type OofRecord,
  type OofReply,
  oofAudiences,
  type OofState,
} from '@postrider/domain'
import { htmlToText, textToHtml } from '@postrider/wire/mime'
import { child, children, type Element, el, has, type Tag, text } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { easDate, parseEasDate } from '../items/dates.ts'
import { SettingsStatus } from './settings-status.ts'

/** OofState by number: [MS-ASCMD] §2.2.3.124. */
const states = ['disabled', 'enabled', 'scheduled'] as const satisfies readonly OofState[]

const audienceTags: Readonly<Record<OofAudience, Tag>> = {
  internal: 'Settings:AppliesToInternal',
  externalKnown: 'Settings:AppliesToExternalKnown',
  externalUnknown: 'Settings:AppliesToExternalUnknown',
}

export async function oof(context: Context, element: Element): Promise<Element> {
  const get = child(element, 'Settings:Get')
  const set = child(element, 'Settings:Set')
  if ((get === undefined) === (set === undefined)) return answer(SettingsStatus.protocolError)
  const record = await readRecord(context)
  if (get !== undefined) return show(record, get)
  const changed = change(record, set as Element, context.deps.clock.now())
  if (typeof changed === 'number') return answer(changed)
  await context.mailbox.apply([{ op: 'putState', ...OOF_STATE, value: encodeOof(changed) }])
  return answer(SettingsStatus.success)
}

const answer = (status: number, get?: Element): Element => el('Settings:Oof', el('Settings:Status', status), get)

async function readRecord(context: Context): Promise<OofRecord> {
  const entries = await context.mailbox.state(OOF_STATE.client, OOF_STATE.key)
  return decodeOof(entries.find(({ key }) => key === OOF_STATE.key)?.value)
}

type BodyType = OofReply['bodyType']

function bodyTypeOf(element: Element | undefined): BodyType | undefined {
  const value = text(element, 'Settings:BodyType')?.trim().toLowerCase()
  return value === 'text' || value === 'html' ? value : undefined
}

/** All settings, the messages in the form asked for: MS-ASCMD_R3503. Every audience is named (R3505). */
function show(record: OofRecord, get: Element): Element {
  const bodyType = bodyTypeOf(get)
  if (bodyType === undefined) return answer(SettingsStatus.protocolError)
  const { start, end } = record
  return answer(
    SettingsStatus.success,
    el(
      'Settings:Get',
      el('Settings:OofState', states.indexOf(record.state)),
      start !== undefined && el('Settings:StartTime', easDate(start)),
      end !== undefined && el('Settings:EndTime', easDate(end)),
      oofAudiences.map((audience) => {
        const reply = record.replies[audience]
        const message = inForm(reply, bodyType)
        return el(
          'Settings:OofMessage',
          el(audienceTags[audience]),
          el('Settings:Enabled', reply.enabled ? 1 : 0),
          message !== '' && el('Settings:ReplyMessage', message),
          message !== '' && el('Settings:BodyType', bodyType === 'html' ? 'HTML' : 'Text'),
        )
      }),
    ),
  )
}

function inForm({ message, bodyType, text }: OofReply, wanted: BodyType): string {
  if (message === '' || bodyType === wanted) return message
  return wanted === 'html' ? textToHtml(message) : (text ?? htmlToText(message)).replace(/\r?\n/g, '\r\n')
}

/** The record with the change in it, or the status that refuses it. */
function change(before: OofRecord, set: Element, now: number): OofRecord | number {
  const stateText = text(set, 'Settings:OofState')?.trim()
  const state = stateText === undefined ? before.state : states[/^[012]$/.test(stateText) ? Number(stateText) : -1]
  if (state === undefined) return SettingsStatus.invalidArguments
  const times = timesOf(set)
  if (typeof times === 'number') return times
  const replies = repliesOf(before, set)
  if (typeof replies === 'number') return replies
  // A schedule needs its times; they may be there from before.
  const { start, end } = times ?? before
  if (state === 'scheduled' && (start === undefined || end === undefined)) return SettingsStatus.protocolError
  // MS-ASCMD_R7544: without a schedule times are not kept.
  const kept = state === 'scheduled' ? { start, end } : { start: undefined, end: undefined }
  // A subject is the web's; a phone knows none and leaves it.
  return { ...before, state, ...kept, replies, changed: now }
}

/** StartTime and EndTime, both or none: MS-ASCMD_R2272, R5681. */
function timesOf(set: Element): { start: number; end: number } | undefined | number {
  const startText = text(set, 'Settings:StartTime')
  const endText = text(set, 'Settings:EndTime')
  if (startText === undefined && endText === undefined) return undefined
  if (startText === undefined || endText === undefined) return SettingsStatus.protocolError
  const start = parseEasDate(startText)
  const end = parseEasDate(endText)
  if (start === undefined || end === undefined) return SettingsStatus.invalidArguments
  return start < end ? { start, end } : SettingsStatus.conflictingArguments
}

function repliesOf(before: OofRecord, set: Element): OofRecord['replies'] | number {
  const replies: Record<OofAudience, OofReply> = { ...before.replies }
  const seen = new Set<OofAudience>()
  for (const message of children(set, 'Settings:OofMessage')) {
    // MS-ASCMD_R3517: one audience each.
    const named = oofAudiences.filter((audience) => has(message, audienceTags[audience]))
    const [audience] = named
    if (audience === undefined || named.length > 1) return SettingsStatus.invalidArguments
    if (seen.has(audience)) return SettingsStatus.conflictingArguments
    seen.add(audience)
    const reply = replyOf(before.replies[audience], message)
    if (typeof reply === 'number') return reply
    replies[audience] = reply
  }
  return replies
}

function replyOf(before: OofReply, message: Element): OofReply | number {
  const enabled = text(message, 'Settings:Enabled')?.trim()
  if (enabled !== undefined && enabled !== '0' && enabled !== '1') return SettingsStatus.invalidArguments
  const written = text(message, 'Settings:ReplyMessage')
  const bodyType = bodyTypeOf(message)
  // MS-ASCMD_R816: a message says what form it has.
  if (written !== undefined && bodyType === undefined) {
    return has(message, 'Settings:BodyType') ? SettingsStatus.invalidArguments : SettingsStatus.protocolError
  }
  if (written !== undefined && written.length > MAX_OOF_MESSAGE) return SettingsStatus.invalidArguments
  const switched = enabled === undefined ? before.enabled : enabled === '1'
  // What comes back as it was shown takes no other form away.
  if (written === undefined || written === inForm(before, bodyType as BodyType)) return { ...before, enabled: switched }
  return { enabled: switched, bodyType: bodyType as BodyType, message: written }
}

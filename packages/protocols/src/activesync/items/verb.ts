/** email2:LastVerbExecuted and its time: [MS-ASEMAIL] §2.2.2.44 and §2.2.2.45, over PidTagLastVerbExecuted ([MS-OXOMSG] §2.2.1.9). */
import { Flag, fileTime, fromFileTime, type Item, Pid, type PropertyBag } from '@postrider/domain'
import { type Element, el } from '@postrider/wire/wbxml'
import { easDate } from './dates.ts'

/** The verbs of both worlds. */
export const verbs = {
  reply: { mapi: 102, eas: 1 },
  replyAll: { mapi: 103, eas: 2 },
  forward: { mapi: 104, eas: 3 },
} as const
export type Verb = keyof typeof verbs

/** PidTagIconIndex: replied, forwarded mail ([MS-OXOMSG] §2.2.1.10). */
const icons = { reply: 261, replyAll: 261, forward: 262 } as const

/** What of the bag says that a mail was answered or forwarded. */
export const verbProperties = (verb: Verb, now: number): PropertyBag =>
  new Map<number, number | bigint>([
    [Pid.TagLastVerbExecuted, verbs[verb].mapi],
    [Pid.TagLastVerbExecutionTime, fileTime(now)],
    [Pid.TagIconIndex, icons[verb]],
  ])

/** 1, 2 or 3; 0 where nothing was done. \Answered and $Forwarded set over IMAP count too. */
export function lastVerb(item: Pick<Item, 'flags' | 'props'>): number {
  const stored = item.props?.get(Pid.TagLastVerbExecuted)
  for (const verb of Object.values(verbs)) if (verb.mapi === stored) return verb.eas
  if ((item.flags & Flag.answered) !== 0) return verbs.reply.eas
  return (item.flags & Flag.forwarded) !== 0 ? verbs.forward.eas : 0
}

/** The elements; none where nothing was done. */
export function verbElements(item: Pick<Item, 'flags' | 'props'>): Element[] {
  const verb = lastVerb(item)
  if (verb === 0) return []
  const time = item.props?.get(Pid.TagLastVerbExecutionTime)
  return [
    el('Email2:LastVerbExecuted', verb),
    ...(typeof time === 'bigint' ? [el('Email2:LastVerbExecutionTime', easDate(fromFileTime(time)))] : []),
  ]
}

/** MeetingRequest: [MS-ASEMAIL] §2.2.2.48, of mails that carry an invitation or its end (RFC 5546 REQUEST, CANCEL). */
import type { Item } from '@postrider/domain'
import { type Invitation, MAX_CALENDAR, type RecurrenceRule, readInvitation } from '@postrider/wire/calendar'
import { type Child, type Element, el } from '@postrider/wire/wbxml'
import { ownAddresses } from '../compose/sender.ts'
import type { Context } from '../context.ts'
import { easAddress } from './addresses.ts'
import { compactDate, easDate } from './dates.ts'
import type { Original } from './original.ts'
import { timeZone } from './timezone.ts'

/** InstanceType: [MS-ASEMAIL] §2.2.2.39. */
const Instance = { single: 0, series: 1, exception: 3 } as const
/** MeetingMessageType: [MS-ASEMAIL] §2.2.2.47. */
const Message = { unspecified: 0, initial: 1, fullUpdate: 2 } as const
/** BusyStatus: [MS-ASEMAIL] §2.2.2.14. */
const busyStatus = { free: 0, tentative: 1, busy: 2, away: 3 } as const satisfies Record<Invitation['busy'], number>
/** Sensitivity: [MS-ASEMAIL] §2.2.2.71. */
const sensitivity = { public: 0, private: 2, confidential: 3 } as const satisfies Record<Invitation['access'], number>
/** Seconds that Reminder has room for. */
const MAX_REMINDER = 0xffff

/** Classes of mails that ask to a meeting or call it off: [MS-OXOCAL] §2.2.2.1. */
const asks = /^IPM\.Schedule\.Meeting\.(?:Request|Canceled)$/i

/**
 * The block of an invitation; undefined for other mail, for one whose event cannot be read, and for the organizer's own copy (MS-ASEMAIL_R543:
 * the user is an attendee). Without it the mail is shown as plain mail: a phone that is told of a meeting without one cannot show it at all.
 */
export async function meetingRequest(context: Context, item: Item, original: Original): Promise<Element | undefined> {
  const name = item.promoted?.class ?? ''
  if (!asks.test(name) || !original.exists) return undefined
  const { calendar } = await original.bodies()
  if (calendar === undefined) return undefined
  const invitation = readInvitation(await original.text(calendar, MAX_CALENDAR))
  if (invitation === undefined || ownAddresses(context).has(invitation.organizer.address.toLowerCase()))
    return undefined
  const cancelled = /Canceled$/i.test(name)
  const kind = cancelled ? Message.unspecified : invitation.sequence > 0 ? Message.fullUpdate : Message.initial
  const { location, organizer, start, end, allDay, instance, rule, reminder } = invitation
  const modern = context.since('16.0')
  const recurrence = instance === undefined && rule !== undefined ? recurrenceOf(context, invitation, rule) : undefined
  const type =
    instance !== undefined ? Instance.exception : recurrence !== undefined ? Instance.series : Instance.single
  const more: Child[] = [
    context.since('14.0') && el('Email:DisallowNewTimeProposal', invitation.noCounter ? 1 : 0),
    context.since('14.1') && el('Email2:MeetingMessageType', kind),
  ]
  return el(
    'Email:MeetingRequest',
    el('Email:AllDayEvent', allDay ? 1 : 0),
    el('Email:StartTime', easDate(start)),
    el('Email:DtStamp', easDate(invitation.stamp ?? item.received)),
    el('Email:EndTime', easDate(end)),
    el('Email:InstanceType', type),
    location !== '' &&
      (modern ? el('AirSyncBase:Location', el('AirSyncBase:DisplayName', location)) : el('Email:Location', location)),
    organizer.address !== '' && el('Email:Organizer', easAddress(organizer)),
    instance !== undefined && el('Email:RecurrenceId', easDate(instance)),
    reminder !== undefined && el('Email:Reminder', Math.min(MAX_REMINDER, Math.round(reminder))),
    el('Email:ResponseRequested', invitation.replyWanted && !cancelled ? 1 : 0),
    recurrence !== undefined && el('Email:Recurrences', recurrence),
    el('Email:Sensitivity', sensitivity[invitation.access]),
    el('Email:BusyStatus', busyStatus[invitation.busy]),
    el('Email:TimeZone', timeZone(invitation.zone)),
    // MS-ASWBXML note 4: the UID itself from 16.0 on.
    ...(modern
      ? [...more, el('Calendar:UID', invitation.uid)]
      : [el('Email:GlobalObjId', globalObjId(invitation)), ...more]),
  )
}

/** CLASSID: [MS-ASEMAIL] §2.2.2.37. */
const CLASS_ID = Buffer.from('040000008200e00074c5b7101a82e008', 'hex')
/** Where the date of one occurrence stands, behind CLASSID. */
const INSTANCE_DATE = 16

/** GlobalObjId: [MS-ASEMAIL] §2.2.2.37; a UID that is one in hex, as Outlook writes them, is that one. */
function globalObjId({ uid, instance }: Invitation): string {
  const outlook = /^040000008200e00074c5b7101a82e008(?:[0-9a-f]{2}){24,}$/i.test(uid)
  const bytes = outlook ? Buffer.from(uid, 'hex') : wrapped(uid)
  if (instance !== undefined) {
    const date = new Date(instance)
    bytes.writeUInt16BE(date.getUTCFullYear(), INSTANCE_DATE)
    bytes.writeUInt8(date.getUTCMonth() + 1, INSTANCE_DATE + 2)
    bytes.writeUInt8(date.getUTCDate(), INSTANCE_DATE + 3)
  }
  return bytes.toString('base64')
}

/** INSTDATE, NOW and RESERVED are zero; BYTECOUNT and VCALID follow. */
function wrapped(uid: string): Buffer {
  const data = Buffer.concat([Buffer.from('vCal-Uid'), Buffer.from([1, 0, 0, 0]), Buffer.from(uid), Buffer.from([0])])
  const count = Buffer.alloc(4)
  count.writeUInt32LE(data.length)
  return Buffer.concat([CLASS_ID, Buffer.alloc(20), count, data])
}

/** Type: [MS-ASEMAIL] §2.2.2.80. */
const Recur = { daily: 0, weekly: 1, monthly: 2, monthlyNth: 3, yearly: 5, yearlyNth: 6 } as const
/** DayOfWeek: one bit a day, Sunday first; all of them: [MS-ASEMAIL] §2.2.2.26. */
const EVERY_DAY = 0b111_1111
/** WeekOfMonth of the last. */
const LAST_WEEK = 5

function recurrenceOf(context: Context, { wall, until }: Invitation, rule: RecurrenceRule): Element {
  const start = new Date(wall)
  const days = rule.days.reduce((mask, { day }) => mask | (1 << day), 0)
  const nth = rule.position ?? rule.days.find((one) => one.nth !== 0)?.nth
  const week = nth === undefined || nth < 0 || nth > 4 ? LAST_WEEK : nth
  const fromEnd = rule.monthDay !== undefined && rule.monthDay < 0
  const byDay = (days !== 0 && nth !== undefined) || fromEnd
  const month = rule.month ?? start.getUTCMonth() + 1
  const monthDay = rule.monthDay ?? start.getUTCDate()
  const type = {
    DAILY: days === 0 ? Recur.daily : Recur.weekly,
    WEEKLY: Recur.weekly,
    MONTHLY: byDay ? Recur.monthlyNth : Recur.monthly,
    YEARLY: byDay ? Recur.yearlyNth : Recur.yearly,
  }[rule.frequency]
  const numbered = type === Recur.monthly || type === Recur.yearly
  const weekly = type === Recur.weekly
  const nthDay = type === Recur.monthlyNth || type === Recur.yearlyNth
  const calendar = !weekly && type !== Recur.daily
  return el(
    'Email:Recurrence',
    el('Email:Type', type),
    el('Email:Interval', rule.interval),
    until !== undefined && el('Email:Until', compactDate(until)),
    until === undefined && rule.count !== undefined && el('Email:Occurrences', rule.count),
    nthDay && el('Email:WeekOfMonth', fromEnd ? LAST_WEEK : week),
    numbered && el('Email:DayOfMonth', monthDay),
    weekly && el('Email:DayOfWeek', days || 1 << start.getUTCDay()),
    nthDay && el('Email:DayOfWeek', fromEnd ? EVERY_DAY : days),
    rule.frequency === 'YEARLY' && el('Email:MonthOfYear', month),
    // MS-ASEMAIL_R291: required where a month is counted; 0 is the usual calendar.
    calendar && context.since('14.0') && el('Email2:CalendarType', 0),
    weekly && context.since('14.1') && el('Email2:FirstDayOfWeek', rule.weekStart),
  )
}

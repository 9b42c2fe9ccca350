import { type CalendarEvent, type EventTime, MAX_CALENDAR, readCalendar } from '@postrider/webmail/ical'
import { html, type Html } from '../html.ts'
import type { Mail } from '../mail.ts'
import type { Visit } from './visit.ts'

/** Invitations and events that came as files, as the full client shows them: what, when, where, who asks. */

const MAX_FILES = 3

/** Cards above the text; undefined where there is no event. */
export async function eventsOf(visit: Visit, mail: Mail): Promise<Html | undefined> {
  const parts = [...mail.attachments, ...mail.textBody].filter(
    ({ type, size, blobId }) => /^text\/calendar$/i.test(type) && size <= MAX_CALENDAR && blobId !== null,
  )
  const ids = [...new Set(parts.map(({ blobId }) => blobId))].slice(0, MAX_FILES)
  if (ids.length === 0) return undefined
  const { list } = await visit.ask<{ list: readonly { readonly 'data:asText'?: string | null }[] }>('Blob/get', {
    ids,
    properties: ['data:asText'],
  })
  const cards = list.flatMap((one) => {
    const { method, events } = readCalendar(one['data:asText'] ?? '')
    return events.map((event) => card(visit, method, event))
  })
  return cards.length === 0 ? undefined : html`${cards}`
}

function card(visit: Visit, method: string, event: CalendarEvent): Html {
  const { say } = visit
  const kind = say(method === 'REQUEST' ? 'eventInvitation' : method === 'REPLY' ? 'eventReply' : 'event')
  const colon = say('colon')
  const lines: readonly (readonly [string, string])[] = [
    [say('eventWhen'), whenOf(visit, event)],
    [say('eventWhere'), event.location],
    [say('eventOrganiser'), event.organiser],
  ]
  const name = event.summary || say('noSubject')
  return html`<section aria-label="${kind}${colon}${name}"><p>${kind}${colon}<strong dir="auto">${name}</strong>${event.cancelled && html` (${say('tripCancelled')})`}${event.repeats && html` · ${say('eventRepeats')}`}</p><dl class="head">${lines.map(([label, text]) => text !== '' && html`<dt>${label}</dt><dd dir="auto">${text}</dd>`)}</dl></section>`
}

/** In the reader's own zone where the instant is known, else as it is written. */
function whenOf(visit: Visit, { start, end }: CalendarEvent): string {
  if (start === undefined) return ''
  const moment = (time: EventTime): string =>
    time.instant !== undefined
      ? visit.date(time.instant)
      : `${shown(visit, `${time.wall}:00Z`, true)}${time.zone === '' ? '' : ` (${time.zone})`}`
  if (!start.allDay) return end === undefined || end.allDay ? moment(start) : `${moment(start)} – ${moment(end)}`
  const day = (wall: string): string => shown(visit, `${wall.slice(0, 10)}T00:00:00Z`, false)
  // An end that is a day is the day after the last: RFC 5545 §3.6.1.
  const last = end === undefined ? start.wall : dayBefore(end.wall)
  const days = last <= start.wall ? day(start.wall) : `${day(start.wall)} – ${day(last)}`
  return `${days}, ${visit.say('eventAllDay')}`
}

const dayBefore = (wall: string): string => {
  const at = Date.parse(`${wall.slice(0, 10)}T00:00:00Z`)
  return Number.isNaN(at) ? wall : new Date(at - 86_400_000).toISOString().slice(0, 10)
}

/** A time of the wall as it is written. What is no time at all stays as it is. */
function shown({ language }: Visit, iso: string, withTime: boolean): string {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) return iso
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'full',
    ...(withTime ? { timeStyle: 'short' } : {}),
    timeZone: 'UTC',
  }).format(at)
}

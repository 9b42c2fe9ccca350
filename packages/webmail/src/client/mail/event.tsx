/** An event that came as a file: what, when, where and who asks, read-only, with a way to the file itself. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { BodyPart } from '../jmap/types.ts'
import { language, longDate, t, timeOnly } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'
import { type CalendarEvent, type CalendarFile, type EventTime, MAX_CALENDAR, readCalendar } from '../../ical.ts'

export function Event({ part }: { readonly part: BodyPart }): JSX.Element | null {
  const [file, setFile] = useState<CalendarFile>()
  const name = part.name ?? 'event.ics'
  const url = app.client.downloadUrl(part.blobId ?? '', name, part.type)
  useEffect(() => {
    if (part.size > MAX_CALENDAR) return
    let wanted = true
    app.client
      .request(url)
      .then((response) => response.text())
      .then(
        (text) => {
          if (wanted) setFile(readCalendar(text))
        },
        // Without the card the file is among the attachments.
        () => {},
      )
    return () => {
      wanted = false
    }
  }, [url, part.size])
  if (file === undefined || file.events.length === 0) return null
  return (
    <ul class="trips events" aria-label={t('event')}>
      {file.events.map((one) => (
        <Card key={`${one.uid} ${one.start?.wall ?? ''}`} event={one} method={file.method} url={url} name={name} />
      ))}
    </ul>
  )
}

function Card({
  event,
  method,
  url,
  name,
}: {
  readonly event: CalendarEvent
  readonly method: string
  readonly url: string
  readonly name: string
}): JSX.Element {
  const lines: readonly (readonly [string, string])[] = [
    [t('eventWhen'), whenOf(event)],
    [t('eventWhere'), event.location],
    [t('eventOrganiser'), event.organiser],
  ]
  return (
    <li class={`trip ${event.cancelled ? 'cancelled' : ''}`}>
      <Icon name="clock" />
      <div class="trip-what">
        <small>{t(method === 'REQUEST' ? 'eventInvitation' : method === 'REPLY' ? 'eventReply' : 'event')}</small>
        <strong dir="auto">{event.summary || t('noSubject')}</strong>
        {event.cancelled && <span class="trip-cancelled">{t('eventCancelled')}</span>}
        <dl class="event-lines">
          {lines.map(([label, text]) =>
            text === '' ? null : (
              <div key={label}>
                <dt>{label}</dt>
                <dd dir="auto">{text}</dd>
              </div>
            ),
          )}
        </dl>
        {event.repeats && <small>{t('eventRepeats')}</small>}
      </div>
      <a class="button" href={url} download={name}>
        <Icon name="download" /> {t('download')}
      </a>
    </li>
  )
}

/** In the reader's own zone where the instant is known, else as it is written. */
function whenOf({ start, end }: CalendarEvent): string {
  if (start === undefined) return ''
  if (start.allDay) {
    const last = end === undefined ? start.wall : dayBefore(end.wall)
    const days = last <= start.wall ? dayOf(start.wall) : `${dayOf(start.wall)} – ${dayOf(last)}`
    return `${days}, ${t('eventAllDay')}`
  }
  const from = momentOf(start)
  if (end === undefined || end.allDay) return from
  const sameDay = end.wall.slice(0, 10) === start.wall.slice(0, 10)
  return `${from} – ${sameDay && end.instant !== undefined ? timeOnly(new Date(end.instant)) : momentOf(end)}`
}

const momentOf = ({ instant, wall, zone }: EventTime): string => {
  if (instant !== undefined) return longDate(new Date(instant).toISOString())
  const date = new Date(`${wall}:00Z`)
  const text = new Intl.DateTimeFormat(language.peek(), {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date)
  return zone === '' ? text : t('eventInZone', { time: text, zone })
}
const dayOf = (wall: string): string =>
  new Intl.DateTimeFormat(language.peek(), { dateStyle: 'full', timeZone: 'UTC' }).format(new Date(`${wall}T00:00:00Z`))
/** An end that is a day is the day after the last: RFC 5545 §3.6.1. */
const dayBefore = (wall: string): string =>
  new Date(Date.parse(`${wall.slice(0, 10)}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)

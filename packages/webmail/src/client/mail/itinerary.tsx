/** What a mail says of a journey, a night or a ticket, at one look: times, places, number. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Id, Place, Reservation } from '../jmap/types.ts'
import { language, t, type TextKey } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'

const kinds: Readonly<Record<Reservation['kind'], TextKey>> = {
  flight: 'tripFlight',
  train: 'tripTrain',
  bus: 'tripBus',
  hotel: 'tripHotel',
  car: 'tripCar',
  table: 'tripTable',
  event: 'tripEvent',
}

/** The time as it stands in the mail: that of the place, not of the reader. */
function timeOf(iso: string): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?/.exec(iso)
  if (match === null) return ''
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = match.slice(1).map(Number)
  const day_ = new Intl.DateTimeFormat(language.peek(), {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    timeZone: 'UTC',
  })
  const time = new Intl.DateTimeFormat(language.peek(), { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute))
  return match[4] === undefined ? day_.format(date) : `${day_.format(date)}, ${time.format(date)}`
}

export function Itinerary({ id }: { readonly id: Id }): JSX.Element | null {
  const [all, setAll] = useState<readonly Reservation[]>([])
  useEffect(() => {
    let wanted = true
    app.client.call('Reservation/parse', { emailIds: [id] }).then(
      ({ list }) => {
        if (wanted) setAll(list[0]?.reservations ?? [])
      },
      // Without the card the mail itself says it all.
      () => {},
    )
    return () => {
      wanted = false
    }
  }, [id])
  if (all.length === 0) return null
  return (
    <ul class="trips" aria-label={t('trips')}>
      {all.map((one) => (
        <li key={`${one.kind}${one.number}${one.start}${one.name}`} class={`trip ${one.cancelled ? 'cancelled' : ''}`}>
          <Icon name="ticket" />
          <div class="trip-what">
            <strong dir="auto">
              {t(kinds[one.kind])} {one.name}
              {one.provider !== '' && one.provider !== one.name && ` · ${one.provider}`}
            </strong>
            {one.cancelled && <span class="trip-cancelled">{t('tripCancelled')}</span>}
            <Leg
              from={one.from}
              to={one.kind === 'hotel' || one.kind === 'table' ? undefined : one.to}
              start={one.start}
              end={one.end}
            />
            {(one.kind === 'hotel' || one.kind === 'table') &&
              one.to?.address !== undefined &&
              one.to.address !== '' && <small dir="auto">{one.to.address}</small>}
          </div>
          <dl class="trip-number">
            {one.number !== '' && (
              <div>
                <dt>{t('tripNumber')}</dt>
                <dd>{one.number}</dd>
              </div>
            )}
            {one.person !== '' && (
              <div>
                <dt>{t('tripPerson')}</dt>
                <dd dir="auto">{one.person}</dd>
              </div>
            )}
          </dl>
        </li>
      ))}
    </ul>
  )
}

function Leg({
  from,
  to,
  start,
  end,
}: {
  readonly from: Place | null | undefined
  readonly to: Place | null | undefined
  readonly start: string
  readonly end: string
}): JSX.Element {
  const name = (place: Place | null | undefined): string =>
    place == null ? '' : place.code === '' ? place.name || place.address : `${place.name} (${place.code})`
  const line = (place: Place | null | undefined, time: string): JSX.Element | null =>
    name(place) === '' && time === '' ? null : (
      <span class="leg">
        <time dateTime={time}>{timeOf(time)}</time> <span dir="auto">{name(place)}</span>
      </span>
    )
  return (
    <>
      {line(from, start)}
      {line(to, end)}
    </>
  )
}

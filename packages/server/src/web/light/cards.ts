import { html, type Html } from '../html.ts'
import type { LightTextKey } from './texts.ts'
import type { Visit } from './visit.ts'

/** What a mail says beyond its text: journeys and bookings at one look (R56), why it is in Focused or in Other (R54). */

interface Place {
  readonly name: string
  readonly code: string
  readonly address: string
}
interface Reservation {
  readonly kind: 'flight' | 'train' | 'bus' | 'hotel' | 'car' | 'table' | 'event'
  readonly number: string
  readonly cancelled: boolean
  readonly person: string
  readonly name: string
  readonly provider: string
  readonly from?: Place | null
  readonly to?: Place | null
  readonly start: string
  readonly end: string
}
const kinds: Readonly<Record<Reservation['kind'], LightTextKey>> = {
  flight: 'tripFlight',
  train: 'tripTrain',
  bus: 'tripBus',
  hotel: 'tripHotel',
  car: 'tripCar',
  table: 'tripTable',
  event: 'tripEvent',
}
const MAX_TRIPS = 12

/** The time as it stands in the mail: that of the place, not of the reader. */
function timeOf(visit: Visit, iso: string): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?/.exec(iso)
  if (match === null) return ''
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = match.slice(1).map(Number)
  return new Intl.DateTimeFormat(visit.language, {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    ...(match[4] === undefined ? {} : { hour: '2-digit', minute: '2-digit' }),
    timeZone: 'UTC',
  }).format(Date.UTC(year, month - 1, day, hour, minute))
}
const placeName = (place: Place | null | undefined): string =>
  place == null ? '' : [place.code === '' ? place.name || place.address : `${place.name} (${place.code})`].join('')

export async function tripsOf(visit: Visit, emailId: string): Promise<Html | undefined> {
  const { say } = visit
  const { list } = await visit.ask<{ list: readonly { readonly reservations: readonly Reservation[] }[] }>(
    'Reservation/parse',
    { emailIds: [emailId] },
  )
  const all = list[0]?.reservations ?? []
  if (all.length === 0) return undefined
  const line = (label: LightTextKey, value: string): Html | undefined =>
    value === '' ? undefined : html`<dt>${say(label)}</dt><dd>${value}</dd>`
  const at = (time: string, place: Place | null | undefined): string =>
    [timeOf(visit, time), placeName(place)].filter((one) => one !== '').join(', ')
  return html`<h2 id="trips">${say('trips')}</h2>${all.slice(0, MAX_TRIPS).map((one) => {
    const stays = one.kind === 'hotel' || one.kind === 'table'
    return html`<section aria-label="${say(kinds[one.kind])} ${one.name}"><p><strong>${say(kinds[one.kind])} ${one.name}${one.provider !== '' && one.provider !== one.name && ` · ${one.provider}`}</strong>${one.cancelled && html` (${say('tripCancelled')})`}</p><dl class="head">${line('tripFrom', at(one.start, one.from))}${line('tripTo', at(one.end, stays ? undefined : one.to))}${line('address', stays ? (one.to?.address ?? '') : '')}${line('tripNumber', one.number)}${line('tripPerson', one.person)}</dl></section>`
  })}`
}

const reasons: Readonly<Record<string, LightTextKey>> = {
  sender: 'whySender',
  list: 'whyList',
  program: 'whyProgram',
  toMe: 'whyToMe',
  notToMe: 'whyNotToMe',
  colleague: 'whyColleague',
  answer: 'whyAnswer',
  learned: 'whyLearned',
  moved: 'whyMoved',
}
/** One sentence: which half of the Inbox, and why. */
export async function whyHere(visit: Visit, emailId: string): Promise<string> {
  const { list } = await visit.ask<{
    list: readonly { readonly inference: string; readonly reasons: readonly string[] }[]
  }>('Focus/explain', { ids: [emailId] })
  const said = (list[0]?.reasons ?? []).flatMap((one) => {
    const key = Object.hasOwn(reasons, one) ? reasons[one] : undefined
    return key === undefined ? [] : [visit.say(key)]
  })
  return `${visit.say(list[0]?.inference === 'other' ? 'other' : 'focused')}${visit.say('colon')}${said.join(' ') || visit.say('whyUsual')}`
}

/**
 * Journeys, nights, tables and tickets that a mail carries for programs: schema.org reservations as JSON-LD or microdata. In: the HTML of a mail;
 * out: plain texts in one shape. Linear; never throws; what makes no sense is left out.
 */
import { decodeEntities } from '../mime/index.ts'
import { isLetter, readTag, type Tag } from './tags.ts'

/** Characters of HTML looked at, of one value, reservations of one mail, items nested and in all. */
const MAX_HTML = 1024 * 1024
const MAX_JSON = 256 * 1024
const MAX_TEXT = 300
const MAX_RESERVATIONS = 20
const MAX_DEPTH = 12
const MAX_ITEMS = 500

export const reservationKinds = ['flight', 'train', 'bus', 'hotel', 'car', 'table', 'event'] as const
export type ReservationKind = (typeof reservationKinds)[number]

export interface ReservationPlace {
  readonly name: string
  /** IATA code of an airport. */
  readonly code: string
  readonly address: string
}

export interface Reservation {
  readonly kind: ReservationKind
  readonly number: string
  readonly cancelled: boolean
  /** Under whose name. */
  readonly person: string
  /** The flight's or train's number, the hotel, the event. */
  readonly name: string
  readonly provider: string
  readonly from: ReservationPlace | undefined
  readonly to: ReservationPlace | undefined
  /** ISO 8601 as the mail has it, with or without an offset; empty where it says nothing. */
  readonly start: string
  readonly end: string
}

type Value = string | Item | readonly Value[]
interface Item {
  readonly [name: string]: Value
}

/** An item of microdata while it is read. */
type Growing = Record<string, Value>

const kinds: Readonly<Record<string, ReservationKind>> = {
  FlightReservation: 'flight',
  TrainReservation: 'train',
  BusReservation: 'bus',
  LodgingReservation: 'hotel',
  RentalCarReservation: 'car',
  FoodEstablishmentReservation: 'table',
  EventReservation: 'event',
}

const isItem = (value: Value | undefined): value is Item =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const first = (value: Value | undefined): string | Item | undefined =>
  Array.isArray(value) ? first(value[0] as Value | undefined) : (value as string | Item | undefined)
const at = (value: Value | undefined, ...path: readonly string[]): string | Item | undefined => {
  let now = first(value)
  for (const name of path) now = isItem(now) && Object.hasOwn(now, name) ? first(now[name]) : undefined
  return now
}
const text = (value: Value | undefined, ...path: readonly string[]): string => {
  const found = at(value, ...path)
  return typeof found === 'string' ? found.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT) : ''
}
const typeOf = (item: Item): string => text(item, '@type').replace(/^.*[/#]/, '')
/** A date of ISO 8601, nothing else. */
const date = (value: Value | undefined, ...path: readonly string[]): string => {
  const found = text(value, ...path) || text(value, ...path, '@value')
  return /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(found) ? found : ''
}

/** The reservations of a mail's HTML, each once. */
export function reservationsOf(html: string): Reservation[] {
  const source = html.slice(0, MAX_HTML)
  if (!/schema\.org/i.test(source)) return []
  const out = new Map<string, Reservation>()
  for (const item of itemsOf(source)) {
    const found = reservation(item)
    if (found === undefined || out.size >= MAX_RESERVATIONS) continue
    const key = [found.kind, found.number, found.person, found.name, found.start].join('\n')
    out.set(key, found)
  }
  return [...out.values()]
}

function reservation(item: Item): Reservation | undefined {
  const type = typeOf(item)
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined
  if (kind === undefined) return undefined
  const { reservationFor: thing } = item
  const person =
    text(item, 'underName', 'name') ||
    [text(item, 'underName', 'givenName'), text(item, 'underName', 'familyName')].filter((one) => one !== '').join(' ')
  const common = {
    kind,
    number: text(item, 'reservationNumber') || text(item, 'reservationId'),
    cancelled: /cancel/i.test(text(item, 'reservationStatus')),
    person,
    provider:
      text(thing, 'provider', 'name') ||
      text(thing, 'airline', 'name') ||
      text(item, 'provider', 'name') ||
      text(thing, 'rentalCompany', 'name'),
  }
  const made = detailsOf(kind, item, thing)
  // Without a time there is nothing to put into a calendar, without a name nothing to show.
  return made.start === '' || (made.name === '' && made.from === undefined && made.to === undefined)
    ? undefined
    : { ...common, ...made }
}

type Details = Pick<Reservation, 'name' | 'from' | 'to' | 'start' | 'end'>
function detailsOf(kind: ReservationKind, item: Item, thing: Value | undefined): Details {
  switch (kind) {
    case 'flight': {
      const number = text(thing, 'flightNumber')
      const airline = text(thing, 'airline', 'iataCode')
      return {
        name: airline === '' || number.startsWith(airline) ? number : `${airline} ${number}`,
        from: place(thing, 'departureAirport'),
        to: place(thing, 'arrivalAirport'),
        start: date(thing, 'departureTime') || date(thing, 'departureDay'),
        end: date(thing, 'arrivalTime'),
      }
    }
    case 'train':
    case 'bus':
      return {
        name: [
          text(thing, 'trainName') || text(thing, 'busName'),
          text(thing, 'trainNumber') || text(thing, 'busNumber'),
        ]
          .filter((one) => one !== '')
          .join(' '),
        from: place(thing, 'departureStation') ?? place(thing, 'departureBusStop'),
        to: place(thing, 'arrivalStation') ?? place(thing, 'arrivalBusStop'),
        start: date(thing, 'departureTime') || date(thing, 'departureDay'),
        end: date(thing, 'arrivalTime'),
      }
    case 'hotel':
      return {
        name: text(thing, 'name'),
        from: undefined,
        to: asPlace(at(thing)),
        start: date(item, 'checkinTime') || date(item, 'checkinDate'),
        end: date(item, 'checkoutTime') || date(item, 'checkoutDate'),
      }
    case 'car':
      return {
        name: text(thing, 'name') || text(thing, 'model'),
        from: place(item, 'pickupLocation'),
        to: place(item, 'dropoffLocation'),
        start: date(item, 'pickupTime'),
        end: date(item, 'dropoffTime'),
      }
    case 'table':
      return {
        name: text(thing, 'name'),
        from: undefined,
        to: asPlace(at(thing)),
        start: date(item, 'startTime'),
        end: date(item, 'endTime'),
      }
    case 'event':
      return {
        name: text(thing, 'name'),
        from: undefined,
        to: place(thing, 'location'),
        start: date(thing, 'startDate'),
        end: date(thing, 'endDate'),
      }
  }
}

const place = (value: Value | undefined, name: string): ReservationPlace | undefined => asPlace(at(value, name))
function asPlace(value: string | Item | undefined): ReservationPlace | undefined {
  if (typeof value === 'string') return value === '' ? undefined : { name: text(value), code: '', address: '' }
  if (value === undefined) return undefined
  const address =
    text(value, 'address') ||
    ['streetAddress', 'postalCode', 'addressLocality', 'addressCountry']
      .map((one) => text(value, 'address', one))
      .filter((one) => one !== '')
      .join(', ')
  const found = { name: text(value, 'name'), code: text(value, 'iataCode').slice(0, 4), address }
  return found.name === '' && found.code === '' && found.address === '' ? undefined : found
}

const voids = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))

interface Open {
  readonly name: string
  readonly item: Growing | undefined
  /** The property whose value the text of this element is. */
  readonly property: { readonly of: Growing; readonly names: readonly string[]; text: string } | undefined
}

/** Items of both syntaxes, those inside of lists and graphs, too. */
function itemsOf(html: string): Item[] {
  const out: Item[] = []
  const budget = { items: MAX_ITEMS }
  const open: Open[] = []
  const lower = html.toLowerCase()
  let depth = 0
  const close = (name: string): void => {
    let index = open.length - 1
    while (index >= 0 && open[index]?.name !== name) index--
    if (index < 0) return
    while (open.length > index) {
      const one = open.pop() as Open
      if (one.item !== undefined) depth--
      if (one.property !== undefined && one.item === undefined)
        put(one.property.of, one.property.names, decodeEntities(one.property.text))
    }
  }
  for (let index = html.indexOf('<'); index >= 0 && budget.items > 0; ) {
    const code = html.charCodeAt(index + 1)
    let next = index + 1
    if (code === 0x2f && isLetter(html.charCodeAt(index + 2))) {
      const tag = readTag(html, index + 2)
      if (tag === undefined) break
      next = tag.end
      close(tag.name)
    } else if (isLetter(code)) {
      const tag = readTag(html, index + 1)
      if (tag === undefined) break
      next = tag.end
      if (tag.name === 'script' || tag.name === 'style') {
        const ends = lower.indexOf(`</${tag.name}`, next)
        const inside = html.slice(next, ends < 0 ? undefined : ends)
        if (tag.name === 'script' && /ld\+json/i.test(attribute(tag, 'type') ?? ''))
          out.push(...fromJson(inside, budget))
        if (ends < 0) break
        next = ends
      } else opened(tag)
    } else if (html.startsWith('<!--', index)) {
      const ends = html.indexOf('-->', index + 4)
      if (ends < 0) break
      next = ends + 3
    }
    index = html.indexOf('<', next)
    const said = html.slice(next, index < 0 ? undefined : index)
    if (said !== '')
      for (const one of open)
        if (one.property !== undefined && one.property.text.length < MAX_TEXT)
          one.property.text += said.slice(0, MAX_TEXT)
  }
  return out

  function opened(tag: Tag): void {
    const names = (attribute(tag, 'itemprop') ?? '').split(/\s+/).filter((one) => /^\w{1,60}$/.test(one))
    const scope = open.findLast((one) => one.item !== undefined)?.item
    let item: Growing | undefined
    if (attribute(tag, 'itemscope') !== undefined && depth < MAX_DEPTH) {
      budget.items--
      item = Object.assign(Object.create(null) as Growing, { '@type': attribute(tag, 'itemtype') ?? '' })
      if (names.length > 0 && scope !== undefined) put(scope, names, item)
      else out.push(item)
    } else if (names.length > 0 && scope !== undefined) {
      const value =
        attribute(tag, 'content') ??
        attribute(tag, 'datetime') ??
        (tag.name === 'a' || tag.name === 'link' ? attribute(tag, 'href') : undefined)
      if (value !== undefined) {
        put(scope, names, value)
        names.length = 0
      }
    }
    if (voids.has(tag.name) || open.length > 200) return
    if (item !== undefined) depth++
    const property =
      names.length > 0 && item === undefined && scope !== undefined ? { of: scope, names, text: '' } : undefined
    open.push({ name: tag.name, item, property })
  }
}

const attribute = (tag: Tag, name: string): string | undefined => tag.attributes.find(([one]) => one === name)?.[1]
/** Puts a value into an item; one that is there already stays the first of several. */
function put(of: Growing, names: readonly string[], value: Value): void {
  for (const name of names) {
    const before = of[name]
    of[name] =
      before === undefined ? value : Array.isArray(before) ? [...(before as readonly Value[]), value] : [before, value]
  }
}

/** JSON-LD: an object, a list, a graph. */
function fromJson(json: string, budget: { items: number }): Item[] {
  if (json.length > MAX_JSON) return []
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return []
  }
  const out: Item[] = []
  const walk = (one: unknown, depth: number): void => {
    if (depth > MAX_DEPTH || budget.items <= 0 || typeof one !== 'object' || one === null) return
    budget.items--
    if (Array.isArray(one)) {
      for (const inner of one) walk(inner, depth + 1)
      return
    }
    out.push(one as Item)
    walk((one as { readonly '@graph'?: unknown })['@graph'], depth + 1)
  }
  walk(value, 0)
  return out
}

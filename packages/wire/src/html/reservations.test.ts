import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reservationsOf } from './reservations.ts'

const ld = (value: unknown): string =>
  `<html><head><script type="application/ld+json">${JSON.stringify(value)}</script></head><body>Hello</body></html>`
const flight = {
  '@context': 'http://schema.org',
  '@type': 'FlightReservation',
  reservationNumber: 'RXJ34P',
  reservationStatus: 'http://schema.org/ReservationConfirmed',
  underName: { '@type': 'Person', name: 'Eva Green' },
  reservationFor: {
    '@type': 'Flight',
    flightNumber: '110',
    airline: { '@type': 'Airline', name: 'United', iataCode: 'UA' },
    departureAirport: { '@type': 'Airport', name: 'San Francisco Airport', iataCode: 'SFO' },
    departureTime: '2027-03-04T20:15:00-08:00',
    arrivalAirport: { '@type': 'Airport', name: 'John F. Kennedy International Airport', iataCode: 'JFK' },
    arrivalTime: '2027-03-05T06:30:00-05:00',
  },
}

test('R56: a flight as JSON-LD: number, places, times, name; the same one twice is one', () => {
  const expected = {
    kind: 'flight',
    number: 'RXJ34P',
    cancelled: false,
    person: 'Eva Green',
    provider: 'United',
    name: 'UA 110',
    from: { name: 'San Francisco Airport', code: 'SFO', address: '' },
    to: { name: 'John F. Kennedy International Airport', code: 'JFK', address: '' },
    start: '2027-03-04T20:15:00-08:00',
    end: '2027-03-05T06:30:00-05:00',
  }
  assert.deepEqual(reservationsOf(ld(flight)), [expected])
  assert.deepEqual(reservationsOf(ld([flight, flight])), [expected])
  const graph = { '@context': 'https://schema.org', '@graph': [{ '@type': 'Order' }, flight] }
  assert.deepEqual(reservationsOf(ld(graph)), [expected])
  const cancelled = { ...flight, reservationStatus: 'ReservationCancelled' }
  assert.equal(reservationsOf(ld(cancelled))[0]?.cancelled, true)
})

test('R56: hotel, train, car, table, event', () => {
  const of = (type: string, more: object, thing: object): object => ({
    '@context': 'http://schema.org',
    '@type': type,
    reservationNumber: '1',
    reservationFor: thing,
    ...more,
  })
  const all = [
    of(
      'LodgingReservation',
      { checkinDate: '2027-04-11T16:00:00', checkoutDate: '2027-04-13' },
      { name: 'Hilton', address: { streetAddress: '333 O’Farrell St', addressLocality: 'San Francisco' } },
    ),
    of(
      'TrainReservation',
      {},
      {
        trainNumber: 'TGV 9241',
        departureStation: { name: 'Paris' },
        arrivalStation: { name: 'Milano' },
        departureTime: '2027-01-02T07:30',
      },
    ),
    of(
      'RentalCarReservation',
      { pickupLocation: { name: 'SFO' }, pickupTime: '2027-08-05T16:00:00Z' },
      { name: 'Small car' },
    ),
    of(
      'FoodEstablishmentReservation',
      { startTime: '2027-04-10T18:00:00' },
      { name: 'Wagamama', address: '1 Tavistock Street' },
    ),
    of('EventReservation', {}, { name: 'Foo Fighters', startDate: '2027-04-15', location: { name: 'AT&T Park' } }),
  ]
  const found = reservationsOf(ld(all))
  assert.deepEqual(
    found.map(({ kind, name, to, start }) => [kind, name, to?.name ?? '', to?.address ?? '', start]),
    [
      ['hotel', 'Hilton', 'Hilton', '333 O’Farrell St, San Francisco', '2027-04-11T16:00:00'],
      ['train', 'TGV 9241', 'Milano', '', '2027-01-02T07:30'],
      ['car', 'Small car', '', '', '2027-08-05T16:00:00Z'],
      ['table', 'Wagamama', 'Wagamama', '1 Tavistock Street', '2027-04-10T18:00:00'],
      ['event', 'Foo Fighters', 'AT&T Park', '', '2027-04-15'],
    ],
  )
})

test('R56: microdata', () => {
  const html = `<div itemscope itemtype="http://schema.org/LodgingReservation">
    <meta itemprop="reservationNumber" content="H-7"/>
    <div itemprop="underName" itemscope itemtype="http://schema.org/Person"><span itemprop="name">Eva &amp; Co</span></div>
    <div itemprop="reservationFor" itemscope itemtype="http://schema.org/LodgingBusiness">
      <b itemprop="name">Hotel <i>Zur</i> Post</b><br>
      <span itemprop="address">Hauptstr. 1</span>
    </div>
    <time itemprop="checkinDate" datetime="2027-04-11T16:00">today</time>
    <link itemprop="checkoutDate" href="ignored"><meta itemprop="checkoutDate" content="2027-04-12">
  </div>`
  const [found] = reservationsOf(html)
  assert.deepEqual(
    [found?.number, found?.person, found?.name, found?.to?.address, found?.start],
    ['H-7', 'Eva & Co', 'Hotel Zur Post', 'Hauptstr. 1', '2027-04-11T16:00'],
  )
})

test('R56: no time, no name, no JSON, other types and other dates are nothing', () => {
  assert.deepEqual(reservationsOf('<p>schema.org</p>'), [])
  assert.deepEqual(reservationsOf('<script type="application/ld+json">{"schema.org": </script>'), [])
  for (const change of [
    { reservationFor: { ...flight.reservationFor, departureTime: 'soon' } },
    { reservationFor: { departureTime: '2027-01-01' } },
    { '@type': 'Order' },
    { '@type': '__proto__' },
    { reservationFor: null },
  ])
    assert.deepEqual(reservationsOf(ld({ ...flight, ...change })), [], JSON.stringify(change))
})

test('R56: anything is read without a fault, in linear time', () => {
  const part = fc.constantFrom(
    '<div itemscope>',
    '</div>',
    '<b itemprop=name>',
    'x',
    '<script type=ld+json>',
    '{"@graph":[',
    '</script>',
    '<!--',
    '<',
    '"',
    '&amp;',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
      reservationsOf(`schema.org ${parts.join('')}`)
    }),
    { numRuns: 300 },
  )
  const begin = workedMs()
  reservationsOf(`schema.org${'<div itemscope itemprop=x>'.repeat(20_000)}`)
  reservationsOf(`schema.org${'<script>'.repeat(50_000)}`)
  assert.ok(workedMs() - begin < 5_000)
})

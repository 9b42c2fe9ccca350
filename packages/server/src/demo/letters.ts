/** What machines write: newsletters with pictures, receipts, notices, bookings, invitations, junk. */
import type { AttachmentInput } from '@postrider/wire/mime'
import { escapeText } from '../web/html.ts'
import type { Chance } from './chance.ts'
import { invitation, pdf } from './files.ts'
import { ALBUM, picture } from './picture.ts'

export interface Letter {
  readonly from: { readonly name: string; readonly address: string }
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly attachments?: readonly AttachmentInput[]
  readonly calendar?: { readonly method: string; readonly ics: string }
  readonly headers?: readonly (readonly [string, string])[]
}
export type LetterKind = 'newsletter' | 'receipt' | 'notice' | 'flight' | 'invitation' | 'junk'
interface Occasion {
  readonly chance: Chance
  readonly to: string
  readonly time: number
  readonly id: string
}

const papers = [
  ['The Harbour Gazette', 'news', 'harbour-gazette.example', '#0b5c6b'],
  ['Slow Cooking', 'letters', 'slow-cooking.example', '#9a4a1d'],
  ['La lettre du jardin', 'lettre', 'jardin.example', '#3f6b2a'],
  ['Weekend Maps', 'hello', 'weekend-maps.example', '#3b4a9a'],
] as const
const headlines: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'The Harbour Gazette': [
    [
      'The night ferry is back',
      'After three summers the boat leaves again at ten, with bunks and a small kitchen on board.',
    ],
    ['Seven bridges, one afternoon', 'A walk along the water, with two good places to sit and one to be silent.'],
    ['What the tide leaves', 'A photographer has collected for a year what everybody else walks past.'],
  ],
  'Slow Cooking': [
    ['Soup for a wet Sunday', 'Leeks, potatoes, time. The rest is patience and a good lid.'],
    ['Bread without kneading', 'It rises while you sleep; in the morning it only wants the oven.'],
    ['Ten things to do with lemons', 'From salt to syrup: nothing of them has to be thrown away.'],
  ],
  'La lettre du jardin': [
    ['Semer en automne', 'Les fèves et l’ail aiment le froid : c’est le moment de les mettre en terre.'],
    ['Tailler sans crainte', 'Trois coupes suffisent pour qu’un vieux rosier refleurisse.'],
    ['Un compost qui ne sent rien', 'Un peu de sec, un peu de vert, et de l’air : le reste se fait seul.'],
  ],
  'Weekend Maps': [
    ['Three lakes by train', 'No car, no hurry: leave at nine, swim at eleven, be home for dinner.'],
    ['The old customs path', 'Forty kilometres along the cliffs, with a bus back from every village.'],
    ['A hut for two nights', 'Wood, water and stars; bring everything else.'],
  ],
}

function newsletter({ chance, id }: Occasion): Letter {
  const [name, local, domain, colour] = chance.pick(papers)
  const stories = headlines[name]!
  const first = chance.below(stories.length)
  const [title] = stories[first]!
  const issue = 10 + chance.below(190)
  const shots = [chance.below(ALBUM), chance.below(ALBUM)]
  const articles = stories.map((_, at) => stories[(first + at) % stories.length]!)
  const html = `<!DOCTYPE html><html><body style="margin:0;background:#f3f4f6"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#f3f4f6"><tr><td align="center"><table role="presentation" width="640" cellpadding="0" cellspacing="0" bgcolor="#ffffff" style="max-width:640px;color:#22262b;font-family:Georgia,serif">
<tr><td bgcolor="${colour}" style="padding:20px 28px;color:#ffffff;font-size:24px">${escapeText(name)} <span style="font-size:14px">No. ${issue}</span></td></tr>
<tr><td><img src="cid:one.${id}@${domain}" width="640" alt="" style="display:block;width:100%"></td></tr>
${articles
  .map(
    ([head, text], at) =>
      `<tr><td style="padding:24px 28px 0"><h2 style="margin:0 0 8px;font-size:20px;color:${colour}">${escapeText(head)}</h2><p style="margin:0;font-size:16px;line-height:24px">${escapeText(text)} <a href="https://${domain}/${issue}/${at + 1}" style="color:${colour}">…</a></p></td></tr>`,
  )
  .join('\n')}
<tr><td style="padding:24px 28px"><img src="cid:two.${id}@${domain}" width="584" alt="" style="display:block;width:100%;border-radius:8px"></td></tr>
<tr><td style="padding:0 28px 28px;font:13px/20px sans-serif;color:#5b6470">${escapeText(name)} · <a href="https://${domain}/unsubscribe" style="color:#5b6470">unsubscribe</a></td></tr>
</table></td></tr></table><img src="https://${domain}/seen/${id}.gif" width="1" height="1" alt=""></body></html>`
  return {
    from: { name, address: `${local}@${domain}` },
    subject: title,
    text: articles.map(([head, text]) => `${head}\n${text}`).join('\n\n'),
    html,
    attachments: shots.map((shot, at) => ({
      content: picture(shot),
      contentType: 'image/png',
      filename: `picture-${at + 1}.png`,
      contentId: `<${at === 0 ? 'one' : 'two'}.${id}@${domain}>`,
      inline: true,
    })),
    headers: [
      ['List-Id', `${name} <news.${domain}>`],
      ['List-Unsubscribe', `<https://${domain}/unsubscribe?u=${id}>`],
      ['Precedence', 'bulk'],
    ],
  }
}

function receipt({ chance, id }: Occasion): Letter {
  const [shop, domain, thing] = chance.pick([
    ['Northwind Bikes', 'northwind.example', 'Inner tubes, 2 pieces'],
    ['Paper & Ink', 'paper-and-ink.example', 'Notebook, dotted, 3 pieces'],
    ['Green Grocer', 'greengrocer.example', 'Weekly box, large'],
    ['Tram & Bus', 'tram-and-bus.example', 'Monthly ticket'],
  ] as const)
  const price = `${8 + chance.below(90)}.${chance.pick(['00', '50', '90'])} EUR`
  const number = id.slice(-6).toUpperCase()
  return {
    from: { name: shop, address: `orders@${domain}` },
    subject: `Your receipt ${number}`,
    text: `Thank you for your order.\n\n${thing}: ${price}\n\nThe receipt is attached.`,
    html: `<p>Thank you for your order.</p><table cellpadding="8" style="border-collapse:collapse"><tr><td style="border-bottom:1px solid #cccccc">${escapeText(thing)}</td><td align="right" style="border-bottom:1px solid #cccccc"><b>${price}</b></td></tr></table><p>The receipt is attached.</p>`,
    attachments: [
      {
        content: pdf([`${shop}: receipt ${number}`, thing, price, 'Paid. Thank you!']),
        contentType: 'application/pdf',
        filename: `receipt-${number}.pdf`,
      },
    ],
  }
}

function notice({ chance, id }: Occasion): Letter {
  const [name, address, subject, text] = chance.pick([
    [
      'Parcel Post',
      'noreply@parcel-post.example',
      'Your parcel is on its way',
      'Your parcel arrives tomorrow between 10:00 and 14:00. Nobody has to be at home: a safe place is enough.',
    ],
    [
      'Build',
      'build@ci.example',
      '[main] build passed again',
      'All 1,284 tests passed on main, after 2 failures in a row. It took 6 minutes and 12 seconds.',
    ],
    [
      'City Library',
      'noreply@library.example',
      'Two books are due soon',
      'Two of your books are due in three days. You may keep them for four more weeks: nobody else is waiting.',
    ],
    [
      'Bank of Example',
      'service@bank.example',
      'Your statement is ready',
      'Your statement of this month lies in your mailbox at the bank. We never ask for your password by mail.',
    ],
  ] as const)
  return {
    from: { name, address },
    subject,
    text: `${text}\n\nReference ${id.slice(-8)}`,
    headers: [['Auto-Submitted', 'auto-generated']],
  }
}

function flight({ chance, time, id }: Occasion): Letter {
  const airports = [
    ['ZRH', 'Zurich'],
    ['LYS', 'Lyon'],
    ['OPO', 'Porto'],
    ['BGO', 'Bergen'],
    ['GRZ', 'Graz'],
    ['ORK', 'Cork'],
  ] as const
  const from = chance.below(airports.length)
  const [fromCode, fromCity] = airports[from]!
  const [toCode, toCity] = airports[(from + 1 + chance.below(airports.length - 1)) % airports.length]!
  const leaves = new Date(
    Math.floor(time / 86_400_000) * 86_400_000 + 12 * 86_400_000 + (7 + chance.below(11)) * 3_600_000,
  )
  const arrives = new Date(leaves.getTime() + 115 * 60_000)
  const booking = id
    .replace(/[^a-z0-9]/gi, '')
    .slice(-6)
    .toUpperCase()
  const number = String(300 + chance.below(600))
  const data = {
    '@context': 'https://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: booking,
    reservationStatus: 'https://schema.org/ReservationConfirmed',
    underName: { '@type': 'Person', name: 'Passenger' },
    reservationFor: {
      '@type': 'Flight',
      flightNumber: number,
      airline: { '@type': 'Airline', name: 'Example Air', iataCode: 'XA' },
      departureAirport: { '@type': 'Airport', name: fromCity, iataCode: fromCode },
      departureTime: leaves.toISOString(),
      arrivalAirport: { '@type': 'Airport', name: toCity, iataCode: toCode },
      arrivalTime: arrives.toISOString(),
    },
  }
  const when = leaves.toISOString().slice(0, 16).replace('T', ' ')
  return {
    from: { name: 'Example Air', address: 'booking@example-air.example' },
    subject: `Your flight to ${toCity}, booking ${booking}`,
    text: `Flight XA${number}\n${fromCity} (${fromCode}) – ${toCity} (${toCode})\n${when} UTC\nBooking ${booking}`,
    html: `<html><head><script type="application/ld+json">${JSON.stringify(data)}</script></head><body><h1 style="font-size:22px">${fromCity} – ${toCity}</h1><p><b>XA${number}</b>, ${when} UTC</p><p>Booking <b>${booking}</b></p></body></html>`,
  }
}

function meeting({ chance, to, time, id }: Occasion): Letter {
  const [title, place] = chance.pick([
    ['Planning of the next quarter', 'The library'],
    ['Review: first release', 'Room Ada'],
    ['One hour without screens', 'The park'],
  ] as const)
  const start =
    Math.floor(time / 86_400_000) * 86_400_000 + (4 + chance.below(9)) * 86_400_000 + (8 + chance.below(8)) * 3_600_000
  const from = { name: 'Priya Raman', address: `priya.raman@${to.slice(to.lastIndexOf('@') + 1)}` }
  const uid = `${id}@demonstration.example`
  return {
    from,
    subject: title,
    text: `${title}\n${place}`,
    calendar: {
      method: 'REQUEST',
      ics: invitation({ uid, title, place, start, minutes: 60, organizer: from.address, attendee: to }),
    },
  }
}

function junk({ chance }: Occasion): Letter {
  const [name, subject, text] = chance.pick([
    [
      'Prize Office',
      'You have won!!! Answer within 24 hours',
      'Dear winner, your address was drawn from 2,000,000. Send us your bank details to receive your prize.',
    ],
    ['Dr. Miracle', 'Sleep 2 hours, feel like 10', 'The secret that mattresses do not want you to know. Order now.'],
    [
      'Account Team',
      'Your account will be closed',
      'Your mailbox is full. Click the link and type your password to keep it.',
    ],
  ] as const)
  return {
    from: { name, address: `${name.toLowerCase().replace(/[^a-z]/g, '')}@unknown-sender.example` },
    subject,
    text,
    html: `<p style="color:#c00000;font-size:20px"><b>${escapeText(subject)}</b></p><p>${escapeText(text)}</p><p><a href="https://unknown-sender.example/claim">Click here</a></p>`,
  }
}

const kinds: Readonly<Record<LetterKind, (occasion: Occasion) => Letter>> = {
  newsletter,
  receipt,
  notice,
  flight,
  invitation: meeting,
  junk,
}
export const letter = (kind: LetterKind, occasion: Occasion): Letter => kinds[kind](occasion)

/** A believable inbox for the fake. */
import type { FakeServer } from './fake.ts'

const people = [
  ['Grace Hopper', 'grace@navy.example'],
  ['Alan Turing', 'alan@bletchley.example'],
  ['Katherine Johnson', 'katherine@langley.example'],
  ['Émilie du Châtelet', 'emilie@cirey.example'],
  ['Conference Desk', 'desk@icm.example'],
  ['Mary Somerville', 'mary@royal.example'],
  ['Srinivasa Ramanujan', 'ramanujan@trinity.example'],
  ['הילה כהן', 'hila@tlv.example'],
] as const
const subjects = [
  'Minutes of Tuesday and what we decided',
  'Bug in the subtraction table',
  'Train tickets to Zürich',
  'Re-entry numbers, second pass',
  'Your registration is confirmed',
  'Draft of chapter four',
  'A question about partitions',
  'Lunch on Thursday?',
  'Invoice 2026-117',
  'Photographs from the workshop',
  'סיכום הפגישה',
  'Budget for next year',
]
const text = `Dear Ada,

thank you for the notes. I went through them twice and would only change the last table: the sign of the third column is wrong, see https://example.org/tables/3.

> On Monday you wrote:
> the engine might compose elaborate pieces of music

Could we speak about it on Thursday? I attach the new plan.

Yours
Grace`

export function fillSample(server: FakeServer, count = 120, now = Date.now()): void {
  for (let i = 0; i < count; i++) {
    const [name, email] = people[(i * 5) % people.length] ?? people[0]
    const thread = i % 9 === 0 ? `conv${Math.floor(i / 27)}` : `single${i}`
    const subject =
      i % 9 === 0 ? `${i === 0 ? 'Re: ' : ''}Plan for the analytical engine` : (subjects[i % subjects.length] ?? '')
    server.add({
      subject,
      threadId: thread,
      from: [{ name, email }],
      cc:
        i % 4 === 0
          ? [
              { name: 'Charles Babbage', email: 'charles@difference.example' },
              { name: null, email: 'list@example.org' },
            ]
          : null,
      receivedAt: new Date(now - i * i * 900_000 - i * 1_500_000).toISOString(),
      keywords: {
        ...(i > 4 && i % 6 !== 0 ? { $seen: true as const } : {}),
        ...(i % 11 === 3 ? { $flagged: true as const } : {}),
      },
      text,
      hasAttachment: i % 5 === 1,
      attachments:
        i % 5 === 1
          ? [
              {
                partId: '2',
                blobId: 'none',
                size: 184_320,
                name: 'plan-for-the-engine.pdf',
                type: 'application/pdf',
                disposition: 'attachment',
                cid: null,
              },
              {
                partId: '3',
                blobId: 'none',
                size: 12_040,
                name: 'figures.csv',
                type: 'text/csv',
                disposition: 'attachment',
                cid: null,
              },
            ]
          : [],
      ...(i % 3 === 2 ? { html: newsletter } : {}),
    })
  }
  for (let i = 0; i < 6; i++)
    server.add({
      subject: `Notes ${i + 1}`,
      mailboxIds: { 'm-sent': true },
      keywords: { $seen: true },
      from: [{ name: 'Ada Lovelace', email: 'ada@example.org' }],
      to: [{ name: people[i]?.[0] ?? '', email: people[i]?.[1] ?? '' }],
      text: 'Here they are.',
      receivedAt: new Date(now - i * 90_000_000).toISOString(),
    })
}

const newsletter = `<div style="background:#f4f1ea;padding:24px;font-family:Georgia,serif"><table width="100%" cellpadding="0"><tr><td style="background:#ffffff;padding:24px;color:#333"><h1 style="color:#7a3b12;margin:0 0 12px">The Engine Quarterly</h1><p>Three essays, one programme, and a picture from elsewhere.</p><img src="https://tracker.example/pixel.png" width="1" height="1"><p><a href="https://example.org/read">Read on</a></p><script>top.hacked=1</script><p onclick="top.hacked=2">The end.</p></td></tr></table></div>`

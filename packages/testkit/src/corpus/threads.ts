import { crlf, type Draft, raw } from './mail.ts'

interface Place {
  readonly id?: string
  readonly references?: string
  readonly inReplyTo?: string
}

let minute = 0

function post(name: string, subject: string, place: Place): Draft {
  const time = `${String(8 + Math.floor(minute / 60)).padStart(2, '0')}:${String(minute++ % 60).padStart(2, '0')}:00`
  const fields = [
    `Subject: ${subject}`,
    'From: poster@t.example',
    `Date: Wed, 18 Nov 2026 ${time} +0000`,
    ...(place.id === undefined ? [] : [`Message-ID: ${place.id}`]),
    ...(place.references === undefined ? [] : [`References: ${place.references}`]),
    ...(place.inReplyTo === undefined ? [] : [`In-Reply-To: ${place.inReplyTo}`]),
  ]
  return raw(name, crlf(...fields, '', `post ${name}`))
}

/** Posts that belong together, some of them only nearly: RFC 5256 §3 and its base subject in §2.1. */
export const threads: readonly Draft[] = [
  post('thread root', 'sailing plans', { id: '<t1@t.example>' }),
  post('thread reply', 'Re: sailing plans', {
    id: '<t2@t.example>',
    references: '<t1@t.example>',
    inReplyTo: '<t1@t.example>',
  }),
  post('thread reply to reply', 'Re: Re: sailing plans', {
    id: '<t3@t.example>',
    references: '<t1@t.example>\r\n <t2@t.example>',
  }),
  post('thread second branch', 'RE: sailing plans', { id: '<t4@t.example>', references: '<t1@t.example>' }),
  post('thread by in-reply-to', 'other words', { id: '<t5@t.example>', inReplyTo: 'Message of Friday <t4@t.example>' }),
  post('thread parent missing', 'Re: lost parent', {
    id: '<t6@t.example>',
    references: '<gone1@t.example> <gone2@t.example>',
  }),
  post('thread sibling of missing parent', 'Re: lost parent', {
    id: '<t7@t.example>',
    references: '<gone1@t.example> <gone2@t.example>',
  }),
  post('thread by subject only', 'Re: [list] Sailing Plans (fwd)', { id: '<t8@t.example>' }),
  post('thread forwarded', 'Fwd: [x] [y] sailing plans', { id: '<t9@t.example>' }),
  post('thread wrapped forward', '[Fwd: [z] sailing plans]', { id: '<t10@t.example>' }),
  post('thread counted reply', 'Re[2]: sailing   plans', { id: '<t11@t.example>' }),
  post('thread same id again', 'duplicate id', { id: '<t1@t.example>' }),
  post('thread loop one', 'loop', { id: '<l1@t.example>', references: '<l2@t.example>' }),
  post('thread loop two', 'Re: loop', { id: '<l2@t.example>', references: '<l1@t.example>' }),
  post('thread refers to itself', 'self', { id: '<s1@t.example>', references: '<s1@t.example>' }),
  post('thread without id', 'Re: sailing plans', { references: '<t1@t.example>' }),
  post('thread long references', 'Re: long', {
    id: '<long@t.example>',
    references: Array.from({ length: 400 }, (_, i) => `<r${i}@long.example>`).join('\r\n '),
  }),
  post('thread inside long references', 'Re: long', { id: '<r200@long.example>', references: '<r199@long.example>' }),
  post('thread broken references', 'broken', {
    id: '<b1@t.example>',
    references: '<t2@t.example> garbage <unclosed t4@t.example>',
  }),
  post('thread empty subject', '', { id: '<e1@t.example>' }),
  post('thread empty after prefix', 'Re: ', { id: '<e2@t.example>' }),
  post('thread encoded subject', '=?utf-8?q?Re:_sailing_plans?=', { id: '<q1@t.example>' }),
]

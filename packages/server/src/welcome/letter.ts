import type { Language } from '@postrider/domain'
import type { Reach, Site } from '@postrider/protocols/autodiscover'
import { buildMessage } from '@postrider/wire/mime'
import { escapeText } from '../web/html.ts'
import { welcomeText } from './texts.ts'

export interface Newcomer {
  readonly address: string
  readonly displayName: string
  readonly language: Language
  /** Who the letter is from: an address of this organisation. */
  readonly from: string
}

type Fact = readonly [name: string, value: string]
interface Part {
  readonly title: string
  readonly hint: string
  readonly facts: readonly Fact[]
}

const way = ({ host, port, encryption }: Reach, word: string): string =>
  `${host}, ${word} ${port}, ${encryption === 'ssl' ? 'SSL/TLS' : 'STARTTLS'}`

/** The first mail of a new installation: how this very mailbox is reached, in its owner's language. As RFC 5322 bytes; the values are the live ones of `site`. */
export function welcomeLetter({ address, displayName, language, from }: Newcomer, site: Site, now: number): Uint8Array {
  const say = (key: Parameters<typeof welcomeText>[1], values?: Record<string, string>): string =>
    welcomeText(language, key, values)
  const values = { organization: site.organization, address }
  const services: readonly (readonly [Parameters<typeof welcomeText>[1], Reach | undefined])[] = [
    ['incomingImap', site.imap[0]],
    ['incomingPop', site.pop3[0]],
    ['outgoing', site.submission[0]],
  ]
  const parts: readonly Part[] = [
    {
      title: say('phone'),
      hint: say('phoneHint'),
      facts: [
        [say('server'), site.url.replace('https://', '')],
        [say('login'), address],
        [say('password'), say('yours')],
        [say('domain'), say('empty')],
      ],
    },
    {
      title: say('program'),
      hint: say('programHint'),
      facts: services.flatMap(([key, reach]) =>
        reach === undefined ? [] : [[say(key), way(reach, say('port'))] as const],
      ),
    },
    { title: say('browser'), hint: say('browserHint'), facts: [[say('address'), `${site.url}/`]] },
  ]
  const tips = [say('tip1'), say('tip2'), say('tip3'), say('tip4', values)]
  return buildMessage({
    from: [{ name: site.organization, address: from }],
    to: [{ name: displayName, address }],
    subject: say('subject'),
    date: now,
    text: plain(say('hello', values), say('intro', values), parts, say('start'), tips),
    html: rich(language, say('hello', values), say('intro', values), parts, say('start'), tips),
    headers: [
      ['Auto-Submitted', 'auto-generated'],
      ['Content-Language', language],
    ],
  })
}

function plain(hello: string, intro: string, parts: readonly Part[], start: string, tips: readonly string[]): string {
  const sections = parts.map(
    ({ title, hint, facts }) =>
      `${title}\n${hint}\n\n${facts.map(([name, value]) => `  ${name}: ${value}`).join('\n')}`,
  )
  return `${[`${hello}\n\n${intro}`, ...sections, `${start}\n\n${tips.map((tip) => `- ${tip}`).join('\n')}`].join('\n\n\n')}\n`
}

function rich(
  language: Language,
  hello: string,
  intro: string,
  parts: readonly Part[],
  start: string,
  tips: readonly string[],
): string {
  const h2 = 'style="font-size:17px;line-height:24px;margin:28px 0 4px"'
  const rows = (facts: readonly Fact[]): string =>
    facts
      .map(
        ([name, value]) =>
          `<tr><th scope="row" align="left" valign="top" style="font-weight:400;opacity:.75;padding:4px 16px 4px 0">${escapeText(name)}</th><td style="padding:4px 0;font-weight:600">${/^https:/.test(value) ? `<a href="${escapeText(value)}">${escapeText(value)}</a>` : escapeText(value)}</td></tr>`,
      )
      .join('')
  const sections = parts
    .map(
      ({ title, hint, facts }) =>
        `<h2 ${h2}>${escapeText(title)}</h2><p style="margin:0 0 8px">${escapeText(hint)}</p><table cellspacing="0" cellpadding="0">${rows(facts)}</table>`,
    )
    .join('')
  return `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8"></head><body><h1 style="font-size:22px;line-height:30px;margin:0 0 8px">${escapeText(hello)}</h1><p style="margin:0">${escapeText(intro)}</p>${sections}<h2 ${h2}>${escapeText(start)}</h2><ul style="margin:0;padding-left:20px">${tips.map((tip) => `<li style="margin:4px 0">${escapeText(tip)}</li>`).join('')}</ul></body></html>`
}

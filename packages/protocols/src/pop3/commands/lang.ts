/** LANG: RFC 6856 §3. */
import { languages } from '@postrider/domain'
import { err, listing, ok } from '@postrider/wire/pop3'
import type { Answer, Pop3Session } from '../session.ts'
import { say } from '../texts.ts'

const names = { en: 'English', fr: 'Français' } as const

export function lang(session: Pop3Session, tag: string | undefined): Answer {
  if (tag === undefined)
    return {
      text: listing(
        say(session.language, 'languages'),
        languages.map((one) => `${one} ${names[one]}`),
      ),
    }
  const wanted = tag.toLowerCase()
  const language =
    wanted === '*' || wanted === 'i-default' ? 'en' : languages.find((one) => wanted.split('-')[0] === one)
  if (language === undefined) return { text: err(say(session.language, 'languageUnknown')) }
  session.language = language
  return { text: ok(say(language, 'languageSet')) }
}

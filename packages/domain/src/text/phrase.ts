import type { Language } from './messages.ts'

/** One text in every language of the product; one that lacks a language does not compile. */
export type Phrase = Readonly<Record<Language, string>>

/** Says phrases in the language of one reader; numbers and dates as that reader writes them. */
export interface Say {
  (phrase: Phrase): string
  readonly language: Language
  number(value: number): string
  /** A moment: ms since 1970, or ISO 8601. */
  date(moment: number | string): string
}

const locales = { en: 'en-GB', fr: 'fr-FR' } as const

export function speaker(language: Language): Say {
  const say = (phrase: Phrase): string => phrase[language]
  return Object.assign(say, {
    language,
    number: (value: number) => new Intl.NumberFormat(locales[language]).format(value),
    date: (moment: number | string) =>
      new Intl.DateTimeFormat(locales[language], { dateStyle: 'long', timeStyle: 'long' }).format(new Date(moment)),
  })
}

/** A phrase around others. */
export const compose = (make: (say: Say) => string): Phrase => ({ en: make(speaker('en')), fr: make(speaker('fr')) })

/** Words that are not ours to translate: the system's, another server's, names. */
export const verbatim = (text: string): Phrase => ({ en: text, fr: text })

/** An error for people, said in the language of whoever reads it; `message` is the English one, for the log. */
export class SpokenError extends Error {
  readonly phrase: Phrase
  constructor(phrase: Phrase, options?: ErrorOptions) {
    super(phrase.en, options)
    this.phrase = phrase
  }
}

/** What an error says to people. One that is not ours has its own words only. */
export const phraseOf = (error: unknown): Phrase =>
  error instanceof SpokenError ? error.phrase : verbatim(error instanceof Error ? error.message : String(error))

import type { Phrase } from './phrase.ts'

/** Languages the product speaks. A text without one of them does not compile. */
export const languages = ['en', 'fr'] as const
export type Language = (typeof languages)[number]

export type MessageTable = Readonly<Record<string, Phrase>>

/**
 * The message catalogue: a package declares its texts once as a table and gets the function that says them. `{name}` in a text is
 * replaced by the parameter of that name; parameters go in as they are, so the caller escapes for HTML or headers.
 */
export function defineMessages<const T extends MessageTable>(
  table: T,
): (language: Language, key: keyof T & string, parameters?: Readonly<Record<string, string | number>>) => string {
  return (language, key, parameters = {}) => {
    const text = table[key]?.[language] ?? key
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined
      return value === undefined ? whole : String(value)
    })
  }
}

/** The best of our languages for an Accept-Language header (RFC 9110 §12.5.4) or a locale such as `fr_CA`. English when none fits. */
export function chooseLanguage(wanted: string | undefined): Language {
  const MAX_HEADER = 1_000
  const ranked = (wanted ?? '')
    .slice(0, MAX_HEADER)
    .split(',')
    .map((part) => {
      const [tag = '', ...rest] = part.trim().toLowerCase().split(';')
      const q = rest.map((one) => one.trim()).find((one) => one.startsWith('q='))
      return { tag: tag.slice(0, 2), q: q === undefined ? 1 : Number.parseFloat(q.slice(2)) || 0 }
    })
    .filter((one) => one.q > 0)
    .sort((a, b) => b.q - a.q)
  for (const { tag } of ranked) for (const language of languages) if (tag === language) return language
  return 'en'
}

import type { Language } from '@postrider/domain'
import type { Environment } from '../config/load.ts'

/** In the order in which they count: ours, then those of POSIX.1-2024 §8.2; an empty one is none. */
const variables = ['POSTRIDER_LANGUAGE', 'LC_ALL', 'LC_MESSAGES', 'LANG'] as const

/** The language of whoever sits at the terminal: `fr`, `fr_CA.UTF-8` and the like are French, everything else is English. */
export function callerLanguage(env: Environment): Language {
  const locale = variables.map((name) => env[name] ?? '').find((value) => value !== '') ?? ''
  return /^fr(?![a-z])/i.test(locale) ? 'fr' : 'en'
}

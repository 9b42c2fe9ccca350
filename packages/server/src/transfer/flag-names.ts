import { Flag, type FlagName, imapFlagNames, MAX_KEYWORD_LENGTH, MAX_KEYWORDS_PER_ITEM } from '@postrider/domain'

const names = Object.keys(Flag) as FlagName[]
const bits = new Map<string, number>(names.map((name) => [imapFlagNames[name].toLowerCase(), Flag[name]]))

/** IMAP flags → bits and keywords. What is no flag here (\Recent) and keywords beyond the limits are left out. */
export function sortFlags(flags: Iterable<string>): { readonly flags: number; readonly keywords: readonly string[] } {
  let set = 0
  const keywords = new Map<string, string>()
  for (const flag of flags) {
    const bit = bits.get(flag.toLowerCase())
    if (bit !== undefined) set |= bit
    else if (flag !== '' && !flag.startsWith('\\') && flag.length <= MAX_KEYWORD_LENGTH)
      if (keywords.size < MAX_KEYWORDS_PER_ITEM || keywords.has(flag.toLowerCase()))
        keywords.set(flag.toLowerCase(), flag)
  }
  return { flags: set, keywords: [...keywords.values()] }
}

/** The names of those bits that are in `of`. */
export const flagNames = (flags: number, of: readonly FlagName[] = names): string[] =>
  of.filter((name) => (flags & Flag[name]) !== 0).map((name) => imapFlagNames[name])

/** Flags that are keywords where a format has letters for the five others only. */
export const spelledOut = ['forwarded', 'mdnSent', 'junk', 'notJunk'] as const satisfies readonly FlagName[]

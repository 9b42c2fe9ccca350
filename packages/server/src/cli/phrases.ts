import type { Phrase } from '@postrider/domain'

/** What several commands say. */

export const notRunning: Phrase = { en: 'The server is not running.', fr: 'Le serveur n’est pas en marche.' }

export const nothingToChange: Phrase = { en: 'Nothing to change was given.', fr: 'Aucune modification n’est indiquée.' }

export const shownName: Phrase = { en: 'Name shown to others.', fr: 'Nom affiché aux autres.' }

export const mustBeOneOf = (option: string, all: readonly string[]): Phrase => ({
  en: `--${option} must be one of ${all.join(', ')}.`,
  fr: `--${option} doit être l’un de ${all.join(', ')}.`,
})

export const noGroup = (address: string): Phrase => ({
  en: `There is no group ${address}.`,
  fr: `Il n’y a pas de groupe ${address}.`,
})

export const warningWord: Phrase = { en: 'Warning:', fr: 'Attention :' }

/** An option without which nothing is deleted. */
export const sayYes: Phrase = { en: 'Says that this is meant.', fr: 'Confirme que c’est voulu.' }

export const listFor = {
  hide: { en: 'Leaves it out of address lists.', fr: 'Ne paraît plus dans les listes d’adresses.' },
  unhide: { en: 'Puts it into address lists.', fr: 'Paraît dans les listes d’adresses.' },
  aliases: { en: 'All aliases it is to have (replaces the list).', fr: 'Tous ses alias (remplace la liste).' },
} as const satisfies Readonly<Record<string, Phrase>>

export const example = (line: string): Phrase => ({ en: `Example: ${line}`, fr: `Exemple : ${line}` })

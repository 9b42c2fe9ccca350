import type { Phrase } from '@postrider/domain'

/** Every word that stands for something to fill in: `<address>` in a usage line, `--name <text>`. */
export const placeholders = {
  address: { en: 'address', fr: 'adresse' },
  addresses: { en: 'addresses', fr: 'adresses' },
  dialect: { en: 'dialect', fr: 'variante' },
  domain: { en: 'domain', fr: 'domaine' },
  'en|fr': { en: 'en|fr', fr: 'en|fr' },
  file: { en: 'file', fr: 'fichier' },
  folder: { en: 'folder', fr: 'dossier' },
  format: { en: 'format', fr: 'format' },
  id: { en: 'id', fr: 'id' },
  member: { en: 'member', fr: 'membre' },
  name: { en: 'name', fr: 'nom' },
  number: { en: 'number', fr: 'nombre' },
  protocols: { en: 'protocols', fr: 'protocoles' },
  setting: { en: 'setting', fr: 'réglage' },
  size: { en: 'size', fr: 'taille' },
  source: { en: 'source', fr: 'source' },
  text: { en: 'text', fr: 'texte' },
  time: { en: 'time', fr: 'date' },
  type: { en: 'type', fr: 'type' },
} as const satisfies Readonly<Record<string, Phrase>>

export type Placeholder = keyof typeof placeholders
/** A positional argument; `?` at the end: may be left out; `…`: any number of them. */
export type Argument = Placeholder | `${Placeholder}?` | `${Placeholder}…`

/** The placeholder of an argument, without its mark. */
export const placeholderOf = (argument: Argument): Placeholder => argument.replace(/[?…]$/, '') as Placeholder

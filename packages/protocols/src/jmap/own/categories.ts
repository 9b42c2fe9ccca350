/** Category: the mailbox's list of categories with their colours, as Outlook numbers them ([MS-OXOCFG] §2.2.5.2.1 `color`). */
import type { Collection } from '../core/collection.ts'
import { collectionMethods } from '../core/collection.ts'
import { invalidProperties, SetError } from '../core/error.ts'
import * as s from '../core/shape.ts'

export const MAX_CATEGORY_NAME = 255
const COLOURS = 25

interface Category {
  readonly name: string
  /** 0 to 24; -1 has none. */
  readonly color: number
}

const shape = s.object({ name: s.string, color: s.optional(s.integer, -1) })

/** Outlook's first six, in its words. */
const initial: readonly (readonly [en: string, fr: string, color: number])[] = [
  ['Red category', 'Catégorie rouge', 0],
  ['Orange category', 'Catégorie orange', 1],
  ['Yellow category', 'Catégorie jaune', 3],
  ['Green category', 'Catégorie verte', 4],
  ['Blue category', 'Catégorie bleue', 7],
  ['Purple category', 'Catégorie violette', 8],
]

const categories: Collection<Category> = {
  name: 'Category',
  capability: 'postrider',
  kind: 'category',
  properties: ['name', 'color'],
  most: 500,
  initial: (language) => initial.map(([en, fr, color]) => ({ name: language === 'fr' ? fr : en, color })),
  shown: ({ name, color }) => ({ name, color }),
  taken(object, others, before) {
    const { name, color } = shape(object, '')
    const trimmed = name.trim()
    if (trimmed === '' || trimmed.length > MAX_CATEGORY_NAME || /[\p{Cc},;]/u.test(trimmed))
      throw invalidProperties(['name'])
    if (color < -1 || color >= COLOURS) throw invalidProperties(['color'])
    // Mails name their categories by text: a category of another name is another category.
    if (before !== undefined && before.name !== trimmed) throw invalidProperties(['name'])
    if (others.some((one) => one.name.toLowerCase() === trimmed.toLowerCase())) throw new SetError('alreadyExists')
    return { name: trimmed, color }
  },
}
export const [categoryGet, categoryChanges, categorySet] = collectionMethods(categories)

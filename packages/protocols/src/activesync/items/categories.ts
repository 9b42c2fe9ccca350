/** email:Categories: [MS-ASEMAIL] §2.2.2.16. They are the named property Keywords ([MS-OXCMSG] §2.2.1.17), as Outlook has them. */
import { namedProperties, type PropertyBag } from '@postrider/domain'
import { children, type Element, el, ownText } from '@postrider/wire/wbxml'

/** Categories of one mail: [MS-ASEMAIL] §6. Characters of one: [MS-OXCMSG] §2.2.1.17. */
export const MAX_CATEGORIES = 300
export const MAX_CATEGORY = 255

export function categoriesOf(props: PropertyBag | undefined): readonly string[] {
  const value = props?.get(namedProperties.keywords.tag)
  if (!Array.isArray(value)) return []
  return (value as readonly unknown[]).filter((one): one is string => typeof one === 'string' && one !== '')
}

/** The element; empty without categories (MS-ASEMAIL_R318). */
export const categoriesElement = (props: PropertyBag | undefined): Element =>
  el(
    'Email:Categories',
    categoriesOf(props)
      .slice(0, MAX_CATEGORIES)
      .map((category) => el('Email:Category', category)),
  )

/** A client's categories, each once; an empty element takes all away (MS-ASEMAIL_R319). Undefined is Status 6: too many or too long. */
export function parseCategories(element: Element): readonly string[] | undefined {
  const categories = new Set<string>()
  for (const category of children(element)) {
    if (category.tag !== 'Email:Category') return undefined
    const name = ownText(category).trim()
    if (name.length > MAX_CATEGORY) return undefined
    if (name !== '') categories.add(name.toWellFormed())
  }
  return categories.size > MAX_CATEGORIES ? undefined : [...categories]
}

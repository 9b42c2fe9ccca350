/** What an element holds: text, or elements in their order. `undefined` ones are left out. */
export type XmlContent = string | readonly (string | undefined)[]

/** Characters XML 1.0 §2.2 does not allow are dropped: a display name may hold anything. */
const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)

/** One element with its attributes. Text content is escaped, a list holds elements that are written already. */
export function element(name: string, content: XmlContent, attributes: Readonly<Record<string, string>> = {}): string {
  const written = Object.entries(attributes).map(([attribute, value]) => ` ${attribute}="${escaped(value)}"`)
  const body = typeof content === 'string' ? escaped(content) : content.filter((one) => one !== undefined).join('')
  return body === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${body}</${name}>`
}

export const xmlDocument = (root: string): string => `<?xml version="1.0" encoding="utf-8"?>\n${root}\n`

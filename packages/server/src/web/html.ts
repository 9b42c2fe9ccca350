/** HTML made of templates: what is put in is escaped unless it is HTML already. */

export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Piece = string | number | Html | undefined | false | readonly Piece[]

const signs = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])
// Control characters are no characters of HTML.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g

export const escapeText = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => signs.get(sign) ?? sign).replace(forbidden, '\ufffd')

function shown(piece: Piece): string {
  if (piece === undefined || piece === false) return ''
  if (piece instanceof Html) return piece.text
  if (typeof piece === 'object') return piece.map(shown).join('')
  return escapeText(String(piece))
}

/** html`<p>${text}</p>` */
export const html = (strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html =>
  new Html(strings.reduce((out, text, at) => out + shown(pieces[at - 1]) + text))
export const raw = (text: string): Html => new Html(text)

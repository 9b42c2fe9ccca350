import { MAX_RULES, MAX_STYLE, MAX_VALUE } from './limits.ts'

/**
 * CSS by allow-list. In: a style attribute or a style sheet; out: declarations and rules of ours, written anew. Nothing that loads (`url()`,
 * `@import`, `@font-face`), nothing that leaves its place (`position`, `z-index`, `transform`), nothing that moves or answers.
 */

const PROPERTIES: ReadonlySet<string> = new Set(
  'background background-color background-clip border border-bottom border-bottom-color border-bottom-left-radius border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius border-right border-right-color border-right-style border-right-width border-spacing border-style border-top border-top-color border-top-left-radius border-top-right-radius border-top-style border-top-width border-width box-shadow box-sizing caption-side clear color column-gap direction display empty-cells flex flex-basis flex-direction flex-flow flex-grow flex-shrink flex-wrap float font font-family font-size font-stretch font-style font-variant font-weight gap grid-template-columns height justify-content align-items align-content align-self letter-spacing line-height list-style list-style-position list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width object-fit opacity order outline overflow overflow-wrap overflow-x overflow-y padding padding-bottom padding-left padding-right padding-top quotes row-gap table-layout text-align text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent text-overflow text-shadow text-transform unicode-bidi vertical-align visibility white-space widows orphans width word-break word-spacing word-wrap hyphens color-scheme mso-hide -webkit-text-size-adjust'.split(
    ' ',
  ),
)
const FUNCTIONS: ReadonlySet<string> = new Set(
  'rgb rgba hsl hsla hwb lab lch oklab oklch calc min max clamp linear-gradient radial-gradient repeating-linear-gradient repeating-radial-gradient light-dark repeat minmax fit-content'.split(
    ' ',
  ),
)
/** What a value may be made of. No backslash: an escape could spell anything. */
const VALUE = /^[\w\s#%.,+\-*/!()'"\u00a0-\uffff]*$/

/** A value that may stay, or undefined. */
function cleanValue(text: string): string | undefined {
  const value = text.trim()
  if (value === '' || value.length > MAX_VALUE || !VALUE.test(value)) return undefined
  if (/[()'"]/.test(value)) {
    if (!balanced(value)) return undefined
    for (const [, name = ''] of value.matchAll(/([\w-]*)\s*\(/g))
      if (!FUNCTIONS.has(name.toLowerCase())) return undefined
  }
  return /[\n\r\f]/.test(value) ? value.replace(/[\n\r\f]/g, ' ') : value
}

function balanced(value: string): boolean {
  let depth = 0
  let quote = ''
  for (const sign of value) {
    if (quote !== '') {
      if (sign === quote) quote = ''
      else if (sign === '\n' || sign === '\r' || sign === '\f') return false
    } else if (sign === '"' || sign === "'") quote = sign
    else if (sign === '(') depth++
    else if (sign === ')' && --depth < 0) return false
  }
  return depth === 0 && quote === ''
}

/** Comments stand for a space; one without an end goes to the end (CSS Syntax §4.3.2). */
export function withoutComments(css: string): string {
  if (!css.includes('/*')) return css
  const out: string[] = []
  for (let at = 0; at < css.length; ) {
    const open = css.indexOf('/*', at)
    out.push(css.slice(at, open < 0 ? undefined : open))
    if (open < 0) break
    const close = css.indexOf('*/', open + 2)
    if (close < 0) break
    at = close + 2
  }
  return out.join(' ')
}

/** Mails say the same style again and again. */
const MAX_CACHED = 2_000
const MAX_CACHED_LENGTH = 500
const cache = new Map<string, string>()

/** Declarations of a style attribute or a rule, those that may stay; '' for none. */
export function cleanDeclarations(css: string): string {
  if (css.length > MAX_STYLE) return ''
  const known = cache.get(css)
  if (known !== undefined) return known
  const cleaned = declarations(css)
  if (css.length <= MAX_CACHED_LENGTH) {
    if (cache.size >= MAX_CACHED) cache.clear()
    cache.set(css, cleaned)
  }
  return cleaned
}

function declarations(css: string): string {
  const out: string[] = []
  for (const declaration of split(withoutComments(css), ';')) {
    const colon = declaration.indexOf(':')
    if (colon < 0) continue
    const name = declaration.slice(0, colon).trim().toLowerCase()
    if (!PROPERTIES.has(name)) continue
    const value = cleanValue(declaration.slice(colon + 1))
    if (value !== undefined) out.push(`${name}:${value}`)
  }
  return out.join(';')
}

/** At `sign`, but not inside of quotes or brackets. A quote that does not end makes the rest one piece, which nobody keeps. */
function split(css: string, sign: string): string[] {
  if (!/[\\"'()[\]{}]/.test(css)) return css.split(sign)
  const out: string[] = []
  let [start, depth, quote] = [0, 0, '']
  for (let at = 0; at < css.length; at++) {
    const one = css[at]!
    if (one === '\\') at++
    else if (quote !== '') {
      if (one === quote) quote = ''
    } else if (one === '"' || one === "'") quote = one
    else if (one === '(' || one === '[' || one === '{') depth++
    else if (one === ')' || one === ']' || one === '}') depth = Math.max(0, depth - 1)
    else if (one === sign && depth === 0) {
      out.push(css.slice(start, at))
      start = at + 1
    }
  }
  out.push(css.slice(start))
  return out
}

/** Behind the block that opens at `open`; the text's end when it does not close. */
function blockEnd(css: string, open: number): number {
  let [depth, quote] = [0, '']
  for (let at = open; at < css.length; at++) {
    const one = css[at]!
    if (one === '\\') at++
    else if (quote !== '') {
      if (one === quote) quote = ''
    } else if (one === '"' || one === "'") quote = one
    else if (one === '{') depth++
    else if (one === '}' && --depth === 0) return at + 1
  }
  return css.length
}

export interface Sheet {
  readonly css: string
  readonly rules: number
}

const SELECTOR = /^[\w\s.#*>+~:\-()[\]="'|^$,]+$/
const MEDIA = /^@media\s[\w\s(),:.\-/<>=]+$/i
/** Of these none tells anything about what the user did elsewhere. */
const PSEUDO =
  /^(?:hover|first-child|last-child|nth-child|nth-of-type|first-of-type|last-of-type|only-child|not|link|root|first-line|first-letter|empty)$/i

/**
 * A style sheet whose rules reach only into `scope` and name only classes and ids with `prefix` before them. `left`: rules that may still
 * come.
 */
export function cleanSheet(text: string, scope: string, prefix: string, left = MAX_RULES, depth = 0): Sheet {
  const css = depth === 0 ? withoutComments(text.replaceAll('<!--', '').replaceAll('-->', '')) : text
  const out: string[] = []
  let rules = 0
  for (let at = 0; at < css.length && rules < left; ) {
    const open = css.indexOf('{', at)
    const semicolon = css.indexOf(';', at)
    // `@import …;` and the like, and what a broken rule leaves behind.
    if (semicolon >= 0 && (open < 0 || semicolon < open)) {
      at = semicolon + 1
      continue
    }
    if (open < 0) break
    const prelude = css.slice(at, open).replaceAll('}', ' ').trim()
    const end = blockEnd(css, open)
    const body = css.slice(open + 1, end - (css[end - 1] === '}' ? 1 : 0))
    at = end
    if (prelude.startsWith('@')) {
      if (depth < 2 && MEDIA.test(prelude) && !/[\w-]\(/.test(prelude)) {
        const inner = cleanSheet(body, scope, prefix, left - rules, depth + 1)
        rules += inner.rules
        if (inner.css !== '') out.push(`${prelude.replace(/\s+/g, ' ')}{${inner.css}}`)
      }
      continue
    }
    const selectors = split(prelude, ',')
      .map((one) => cleanSelector(one.trim(), scope, prefix))
      .filter((one) => one !== undefined)
    const style = selectors.length === 0 ? '' : cleanDeclarations(body)
    rules++
    if (style !== '') out.push(`${selectors.join(',')}{${style}}`)
  }
  return { css: out.join('\n'), rules }
}

function cleanSelector(selector: string, scope: string, prefix: string): string | undefined {
  if (selector === '' || selector.length > 500 || !SELECTOR.test(selector) || !balanced(selector)) return undefined
  for (const [, name = ''] of selector.matchAll(/::?([\w-]*)/g)) if (!PSEUDO.test(name)) return undefined
  // What stands in brackets compares attributes; only names outside are ours to rename.
  const renamed = selector.replace(
    /\[[^\]]*\]|([.#])(-?[A-Za-z_])/g,
    (whole, sign: string | undefined, first: string) =>
      sign === undefined
        ? /^\[\s*(?:class|id|style|href|src|name)\b/i.test(whole)
          ? '[x]'
          : whole
        : `${sign}${prefix}${first}`,
  )
  const rest = renamed.replace(/^(?:(?:html|:root)\b\s*>?\s*)?(?:body\b|html\b)?/i, '')
  if (rest === renamed) return `${scope} ${renamed}`
  // `body`, `html body`: the scope itself; `body p`, `body.x` behind it.
  return `${scope}${rest}`
}

import { type Phrase, SpokenError } from '@postrider/domain'

/** A value of the configuration file with the line it begins in, so that errors can say where. */
export type Node =
  | { readonly kind: 'object'; readonly line: number; readonly members: ReadonlyMap<string, Node> }
  | { readonly kind: 'array'; readonly line: number; readonly items: readonly Node[] }
  | { readonly kind: 'scalar'; readonly line: number; readonly value: string | number | boolean | null }

/** The text is no JSON; `line` and `column` count from 1. */
export class JsoncError extends SpokenError {
  override readonly name = 'JsoncError'
  readonly line: number
  readonly column: number
  constructor(phrase: Phrase, line: number, column: number) {
    super(phrase)
    this.line = line
    this.column = column
  }
}

export const MAX_CONFIG_BYTES = 1_048_576
const MAX_DEPTH = 32

/** JSON (RFC 8259) with `//` and block comments and a comma allowed before a closing bracket. Throws JsoncError. */
export function parseJsonc(text: string): Node {
  const parser = new Parser(text)
  return parser.document()
}

/** The plain JavaScript value of a node. */
export function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'array') return node.items.map(plain)
  return Object.fromEntries([...node.members].map(([name, member]) => [name, plain(member)]))
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORDS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])

class Parser {
  readonly #text: string
  #at = 0
  #lines = 1
  #countedTo = 0
  constructor(text: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text
  }

  document(): Node {
    const node = this.#value(0)
    this.#space()
    if (this.#at < this.#text.length)
      throw this.#error({ en: 'more text after the end', fr: 'encore du texte après la fin' })
    return node
  }

  #value(depth: number): Node {
    this.#space()
    if (depth > MAX_DEPTH) throw this.#error({ en: 'nested too deeply', fr: 'imbrication trop profonde' })
    const line = this.#line()
    const char = this.#text[this.#at]
    if (char === undefined) throw this.#error({ en: 'the text ends too early', fr: 'le texte s’arrête trop tôt' })
    if (char === '{') return { kind: 'object', line, members: this.#object(depth) }
    if (char === '[') return { kind: 'array', line, items: this.#array(depth) }
    if (char === '"') return { kind: 'scalar', line, value: this.#string() }
    NUMBER.lastIndex = this.#at
    const number = NUMBER.exec(this.#text)
    if (number !== null) {
      this.#at += number[0].length
      return { kind: 'scalar', line, value: Number(number[0]) }
    }
    const word = /[A-Za-z_]*/y
    word.lastIndex = this.#at
    const found = word.exec(this.#text)?.[0] ?? ''
    const value = WORDS.get(found)
    if (value === undefined)
      throw this.#error(
        found === ''
          ? { en: `unexpected '${char}'`, fr: `« ${char} » inattendu` }
          : { en: `'${found}' must stand in double quotes`, fr: `« ${found} » doit être entre guillemets droits` },
      )
    this.#at += found.length
    return { kind: 'scalar', line, value }
  }

  #object(depth: number): Map<string, Node> {
    const members = new Map<string, Node>()
    this.#at++
    for (;;) {
      this.#space()
      if (this.#take('}')) return members
      if (this.#text[this.#at] !== '"')
        throw this.#error({
          en: 'a name in double quotes or } must stand here',
          fr: 'il faut ici un nom entre guillemets droits ou }',
        })
      const name = this.#string()
      if (members.has(name)) throw this.#error({ en: `"${name}" is there twice`, fr: `"${name}" y est deux fois` })
      this.#space()
      if (!this.#take(':'))
        throw this.#error({ en: `a colon must follow "${name}"`, fr: `il faut deux-points après "${name}"` })
      members.set(name, this.#value(depth + 1))
      this.#space()
      if (!this.#take(',') && this.#text[this.#at] !== '}')
        throw this.#error({ en: 'a comma or } must stand here', fr: 'il faut ici une virgule ou }' })
    }
  }

  #array(depth: number): Node[] {
    const items: Node[] = []
    this.#at++
    for (;;) {
      this.#space()
      if (this.#take(']')) return items
      items.push(this.#value(depth + 1))
      this.#space()
      if (!this.#take(',') && this.#text[this.#at] !== ']')
        throw this.#error({ en: 'a comma or ] must stand here', fr: 'il faut ici une virgule ou ]' })
    }
  }

  #string(): string {
    const start = this.#at
    for (let at = start + 1; at < this.#text.length; at++) {
      const char = this.#text[at]
      if (char === '\n') break
      if (char === '\\') at++
      else if (char === '"') {
        try {
          const value: unknown = JSON.parse(this.#text.slice(start, at + 1))
          this.#at = at + 1
          return String(value)
        } catch {
          throw this.#error({
            en: 'not a valid string: a backslash or a control character in it is wrong',
            fr: 'chaîne incorrecte : elle contient une barre oblique inverse ou un caractère de contrôle mal placé',
          })
        }
      }
    }
    throw this.#error({ en: 'a string is not closed on its line', fr: 'une chaîne n’est pas fermée sur sa ligne' })
  }

  #space(): void {
    for (;;) {
      const char = this.#text[this.#at]
      if (char === ' ' || char === '\t' || char === '\n' || char === '\r') this.#at++
      else if (this.#text.startsWith('//', this.#at)) {
        const end = this.#text.indexOf('\n', this.#at)
        this.#at = end === -1 ? this.#text.length : end
      } else if (this.#text.startsWith('/*', this.#at)) {
        const end = this.#text.indexOf('*/', this.#at + 2)
        if (end === -1) throw this.#error({ en: 'a comment is not closed', fr: 'un commentaire n’est pas fermé' })
        this.#at = end + 2
      } else return
    }
  }
  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }
  /** Counted on from the last asked position, which only grows. */
  #line(): number {
    for (let at = this.#text.indexOf('\n', this.#countedTo); at !== -1 && at < this.#at; ) {
      this.#lines++
      this.#countedTo = at + 1
      at = this.#text.indexOf('\n', this.#countedTo)
    }
    return this.#lines
  }
  #error(phrase: Phrase): JsoncError {
    const column = this.#at - this.#text.lastIndexOf('\n', this.#at - 1)
    return new JsoncError(phrase, this.#line(), column)
  }
}

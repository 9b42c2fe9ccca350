/** Reads untagged answers: RFC 9051 §9 `response-data`, far enough to compare what two servers say. */

/** A number, NIL or keyword is an atom; quoted strings and literals are texts (one character an octet). */
export type Value = { readonly atom: string } | { readonly text: string } | readonly Value[]

/** The values of one line as ImapClient keeps it (literals in place). Throws on what is no answer. */
export function parseLine(line: string): Value[] {
  const reader = new Reader(line)
  const values: Value[] = []
  while (!reader.atEnd) {
    values.push(reader.value())
    reader.skip(' ')
  }
  return values
}

class Reader {
  readonly #line: string
  #at = 0

  constructor(line: string) {
    this.#line = line
  }

  get atEnd(): boolean {
    return this.#at >= this.#line.length
  }

  skip(char: string): boolean {
    if (this.#line[this.#at] !== char) return false
    this.#at++
    return true
  }

  #fail(what: string): never {
    throw new Error(`${what} at ${this.#at}: ${this.#line.slice(Math.max(0, this.#at - 60), this.#at + 60)}`)
  }

  value(): Value {
    const char = this.#line[this.#at]
    if (char === '(') return this.#list()
    if (char === '"') return this.#quoted()
    if (char === '{' || (char === '~' && this.#line[this.#at + 1] === '{')) return this.#literal()
    return this.#atom()
  }

  #list(): Value[] {
    this.#at++
    const values: Value[] = []
    while (!this.skip(')')) {
      if (this.atEnd) this.#fail('open list')
      values.push(this.value())
      this.skip(' ')
    }
    return values
  }

  #quoted(): Value {
    let text = ''
    for (this.#at++; ; this.#at++) {
      if (this.atEnd) this.#fail('open quote')
      if (this.skip('"')) return { text }
      if (this.#line[this.#at] === '\\') this.#at++
      text += this.#line[this.#at]
    }
  }

  #literal(): Value {
    const end = this.#line.indexOf('}', this.#at)
    const size = Number(this.#line.slice(this.#line.indexOf('{', this.#at) + 1, end))
    if (this.#line.slice(end + 1, end + 3) !== '\r\n') this.#fail('literal without content')
    const start = end + 3
    if (!(start + size <= this.#line.length)) this.#fail('literal cut off')
    this.#at = start + size
    return { text: this.#line.slice(start, this.#at) }
  }

  /** Brackets belong to it with all that stands in them: `BODY[HEADER.FIELDS (From)]<0>`, `[UIDVALIDITY 5]`. */
  #atom(): Value {
    const start = this.#at
    let depth = 0
    for (; !this.atEnd; this.#at++) {
      const char = this.#line[this.#at] as string
      if (char === '[') depth++
      else if (char === ']') depth--
      else if (depth <= 0 && ' ()"'.includes(char)) break
    }
    if (this.#at === start) this.#fail('value expected')
    return { atom: this.#line.slice(start, this.#at) }
  }
}

/** A value written back in one form, whichever way it was sent: texts quoted, atoms as they are. */
export function show(value: Value): string {
  if ('atom' in value) return value.atom
  if ('text' in value) return JSON.stringify(value.text)
  return `(${value.map(show).join(' ')})`
}

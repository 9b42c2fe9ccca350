/**
 * QR codes (ISO/IEC 18004): byte mode, error correction level M, versions 1 to 15, enough for the address an authenticator app reads. In: a
 * text; out: the modules, and them as SVG.
 */

/** Error correction codewords of a block, and blocks, by version: ISO/IEC 18004 table 9, level M. */
const CODEWORDS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24]
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10]
const MAX_VERSION = CODEWORDS.length
/** Level M in the format information: table 25. */
const LEVEL = 0

/** Bits a symbol of this version has for data and correction. */
function roomOf(version: number): number {
  let bits = (16 * version + 128) * version + 64
  if (version >= 2) {
    const marks = Math.floor(version / 7) + 2
    bits -= (25 * marks - 10) * marks - 55
    if (version >= 7) bits -= 36
  }
  return bits
}
const ecOf = (version: number): number => CODEWORDS[version - 1] ?? 0
const blocksOf = (version: number): number => BLOCKS[version - 1] ?? 1
const dataOf = (version: number): number => Math.floor(roomOf(version) / 8) - ecOf(version) * blocksOf(version)

/** Product in the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d)
    product ^= ((b >>> bit) & 1) * a
  }
  return product & 0xff
}
function divisorOf(degree: number): number[] {
  const divisor: number[] = Array.from({ length: degree }, (_, at) => (at === degree - 1 ? 1 : 0))
  let root = 1
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) divisor[j] = times(divisor[j] ?? 0, root) ^ (divisor[j + 1] ?? 0)
    root = times(root, 2)
  }
  return divisor
}
function remainderOf(data: readonly number[], divisor: readonly number[]): number[] {
  const rest = divisor.map(() => 0)
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0)
    rest.push(0)
    for (const [at, one] of divisor.entries()) rest[at] = (rest[at] ?? 0) ^ times(one, factor)
  }
  return rest
}

/** Mode, length, bytes, end and padding. */
function encode(bytes: Uint8Array, version: number): number[] {
  const bits: number[] = []
  const put = (value: number, length: number): void => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >>> at) & 1)
  }
  put(4, 4)
  put(bytes.length, version < 10 ? 8 : 16)
  for (const byte of bytes) put(byte, 8)
  const room = dataOf(version) * 8
  put(0, Math.min(4, room - bits.length))
  put(0, (8 - (bits.length % 8)) % 8)
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8)
  return Array.from({ length: bits.length / 8 }, (_, at) =>
    bits.slice(at * 8, at * 8 + 8).reduce((sum, bit) => (sum << 1) | bit, 0),
  )
}

/** Blocks with their correction, interleaved: §7.6. */
function interleave(data: readonly number[], version: number): number[] {
  const [blocks, ec] = [blocksOf(version), ecOf(version)]
  const whole = Math.floor(roomOf(version) / 8)
  const short = Math.floor(whole / blocks) - ec
  const longs = whole % blocks
  const divisor = divisorOf(ec)
  const parts: { readonly data: readonly number[]; readonly ec: readonly number[] }[] = []
  for (let at = 0, n = 0; n < blocks; n++) {
    const length = short + (n < blocks - longs ? 0 : 1)
    const part = data.slice(at, at + length)
    parts.push({ data: part, ec: remainderOf(part, divisor) })
    at += length
  }
  const out: number[] = []
  for (let i = 0; i <= short; i++) for (const { data: part } of parts) if (i < part.length) out.push(part[i] ?? 0)
  for (let i = 0; i < ec; i++) for (const { ec: part } of parts) out.push(part[i] ?? 0)
  return out
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

class Symbol_ {
  readonly size: number
  readonly #version: number
  readonly dark: Uint8Array
  readonly #fixed: Uint8Array
  constructor(version: number) {
    this.#version = version
    this.size = version * 4 + 17
    this.dark = new Uint8Array(this.size ** 2)
    this.#fixed = new Uint8Array(this.size ** 2)
    this.#patterns()
  }
  at(x: number, y: number): boolean {
    return this.dark[y * this.size + x] === 1
  }
  #fix(x: number, y: number, dark: boolean): void {
    if (x < 0 || y < 0 || x >= this.size || y >= this.size) return
    this.dark[y * this.size + x] = dark ? 1 : 0
    this.#fixed[y * this.size + x] = 1
  }
  #patterns(): void {
    const { size } = this
    for (let i = 0; i < size; i++) {
      this.#fix(6, i, i % 2 === 0)
      this.#fix(i, 6, i % 2 === 0)
    }
    for (const [cx, cy] of [
      [3, 3],
      [size - 4, 3],
      [3, size - 4],
    ] as const)
      for (let dy = -4; dy <= 4; dy++)
        for (let dx = -4; dx <= 4; dx++) {
          const ring = Math.max(Math.abs(dx), Math.abs(dy))
          this.#fix(cx + dx, cy + dy, ring !== 2 && ring !== 4)
        }
    const marks = this.#alignment()
    const last = marks.length - 1
    for (const [i, cx] of marks.entries())
      for (const [j, cy] of marks.entries()) {
        if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) continue
        for (let dy = -2; dy <= 2; dy++)
          for (let dx = -2; dx <= 2; dx++) this.#fix(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1)
      }
    this.format(0)
    if (this.#version >= 7) this.#versionBits()
  }
  #alignment(): number[] {
    if (this.#version === 1) return []
    const count = Math.floor(this.#version / 7) + 2
    const step = Math.ceil((this.size - 13) / (count * 2 - 2)) * 2
    return [6, ...Array.from({ length: count - 1 }, (_, at) => this.size - 7 - step * (count - 2 - at))]
  }
  /** Level and mask, twice: §7.9. */
  format(mask: number): void {
    const data = (LEVEL << 3) | mask
    let rest = data
    for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537)
    const bits = ((data << 10) | rest) ^ 0x5412
    const bit = (at: number): boolean => ((bits >>> at) & 1) === 1
    const { size } = this
    for (let i = 0; i <= 5; i++) this.#fix(8, i, bit(i))
    this.#fix(8, 7, bit(6))
    this.#fix(8, 8, bit(7))
    this.#fix(7, 8, bit(8))
    for (let i = 9; i < 15; i++) this.#fix(14 - i, 8, bit(i))
    for (let i = 0; i < 8; i++) this.#fix(size - 1 - i, 8, bit(i))
    for (let i = 8; i < 15; i++) this.#fix(8, size - 15 + i, bit(i))
    this.#fix(8, size - 8, true)
  }
  /** §7.10. */
  #versionBits(): void {
    let rest = this.#version
    for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25)
    const bits = (this.#version << 12) | rest
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >>> i) & 1) === 1
      const [a, b] = [this.size - 11 + (i % 3), Math.floor(i / 3)]
      this.#fix(a, b, dark)
      this.#fix(b, a, dark)
    }
  }
  /** The places of data, in their order: §7.7.3. */
  *places(): Generator<number> {
    const { size } = this
    for (let right = size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5
      for (let step = 0; step < size; step++)
        for (const x of [right, right - 1]) {
          const upward = ((right + 1) & 2) === 0
          const place = (upward ? size - 1 - step : step) * size + x
          if (this.#fixed[place] === 0) yield place
        }
    }
  }
  mask(number: number): void {
    const rule = masks[number]
    for (const place of this.places())
      if (rule?.(place % this.size, Math.floor(place / this.size)) === true)
        this.dark[place] = 1 - (this.dark[place] ?? 0)
  }
  /** §7.8.3: runs, blocks, likeness to the finder, balance. */
  penalty(): number {
    const { size } = this
    let sum = 0
    const lines = (read: (i: number, j: number) => boolean): void => {
      for (let i = 0; i < size; i++) {
        let line = ''
        for (let j = 0; j < size; j++) line += read(i, j) ? '1' : '0'
        for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) sum += run.length - 2
        for (let j = 0; j + 11 <= size; j++) {
          const part = line.slice(j, j + 11)
          if (part === '10111010000' || part === '00001011101') sum += 40
        }
      }
    }
    lines((y, x) => this.at(x, y))
    lines((x, y) => this.at(x, y))
    for (let y = 0; y + 1 < size; y++)
      for (let x = 0; x + 1 < size; x++) {
        const one = this.at(x, y)
        if (one === this.at(x + 1, y) && one === this.at(x, y + 1) && one === this.at(x + 1, y + 1)) sum += 3
      }
    const dark = this.dark.reduce((all, one) => all + one, 0)
    return sum + Math.floor(Math.abs((dark * 20) / size ** 2 - 10)) * 10
  }
}

export interface QrCode {
  readonly size: number
  at(x: number, y: number): boolean
}

/** Throws RangeError for a text that is too long: more than 412 bytes. */
export function qrCode(text: string): QrCode {
  const bytes = Buffer.from(text)
  let version = 1
  while (version <= MAX_VERSION && dataOf(version) * 8 < 4 + (version < 10 ? 8 : 16) + bytes.length * 8) version++
  if (version > MAX_VERSION) throw new RangeError('too long for a QR code')
  const words = interleave(encode(bytes, version), version)
  const symbol = new Symbol_(version)
  let at = 0
  for (const place of symbol.places()) {
    symbol.dark[place] = at < words.length * 8 ? ((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1 : 0
    at++
  }
  let best = { mask: 0, penalty: Number.POSITIVE_INFINITY }
  for (let mask = 0; mask < masks.length; mask++) {
    symbol.mask(mask)
    symbol.format(mask)
    const penalty = symbol.penalty()
    if (penalty < best.penalty) best = { mask, penalty }
    symbol.mask(mask)
  }
  symbol.mask(best.mask)
  symbol.format(best.mask)
  return symbol
}

const QUIET = 4
/** Black on white in every theme, with the quiet zone that readers need. */
export function qrSvg(text: string): string {
  const code = qrCode(text)
  const whole = code.size + 2 * QUIET
  let path = ''
  for (let y = 0; y < code.size; y++)
    for (let x = 0; x < code.size; x++) {
      let run = 0
      while (x + run < code.size && code.at(x + run, y)) run++
      if (run === 0) continue
      path += `M${x + QUIET} ${y + QUIET}h${run}v1h-${run}z`
      x += run
    }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole} ${whole}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${whole}v${whole}H0z"/><path d="${path}"/></svg>`
}

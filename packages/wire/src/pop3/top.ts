/** Where TOP stops: RFC 1939 §7 — the header section, the empty line, and so many lines of the body. */

/** Follows a message piece by piece. Line ends are CRLF or bare LF, as stored. Linear. */
export class TopScan {
  #linesLeft: number
  #inHeader = true
  #lineLength = 0
  #lastByte = 0

  constructor(lines: number) {
    this.#linesLeft = lines
  }

  /** Nothing more is to be sent. */
  get done(): boolean {
    return !this.#inHeader && this.#linesLeft === 0
  }

  /** How many bytes of the next piece TOP still sends. */
  take(piece: Buffer): number {
    let at = 0
    while (!this.done) {
      const lf = piece.indexOf(10, at)
      if (lf < 0) {
        this.#lineLength += piece.length - at
        if (piece.length > 0) this.#lastByte = piece[piece.length - 1]!
        return piece.length
      }
      const length = this.#lineLength + lf - at
      const before = lf > 0 ? piece[lf - 1] : this.#lastByte
      if (!this.#inHeader) this.#linesLeft--
      else if (length === 0 || (length === 1 && before === 13)) this.#inHeader = false
      this.#lineLength = 0
      at = lf + 1
    }
    return at
  }
}

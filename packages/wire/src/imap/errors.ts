/**
 * The one error the argument reader raises. It never leaves this folder: `parseCommand` turns it into a value.
 * `code` is a response code of RFC 9051 §7.1 when the grammar itself asks for one.
 */
export class ImapSyntaxError extends Error {
  readonly code: 'BADCHARSET' | undefined

  constructor(message: string, code?: 'BADCHARSET') {
    super(message)
    this.name = 'ImapSyntaxError'
    this.code = code
  }
}

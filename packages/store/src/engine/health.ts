/** Largest original that is taken, bytes. */
export const MAX_ORIGINAL_BYTES = 256 * 1024 * 1024

export interface DatabaseHealth {
  readonly database: string
  /** Why it is stopped, if it is. */
  readonly stopped: string | undefined
  /** Why the server that has it does not answer, if so: that passes by itself. */
  readonly away?: string | undefined
  /** Only reading and deleting work. */
  readonly diskFull: boolean
  readonly waiting: number
}

import type { Logger, Meter } from '@postrider/domain'
import type { MailboxDatabase } from './database.ts'

/** Frames of the write-ahead log (a page each) at which copying starts, and what the owner copies itself at the end. */
export const CHECKPOINT_FRAMES = 4_096
const LEFT_TO_OWNER = 512
const MAX_PASSES = 5
/** The log may never grow beyond this: then the owner copies all of it, whatever that costs. */
const TOO_MANY_FRAMES = 65_536
/** Commits between two looks at the length of the log. */
const LOOK_EVERY = 8

/** The end of the owner: looks at its log, and copies the rest of it. */
export type LoggedDatabase = Pick<MailboxDatabase, 'name' | 'logFrames'> & { copyLog(): void | Promise<void> }

/**
 * Keeps the write-ahead log short without stopping the writer: another thread copies its frames into the database while writing goes on; the
 * few that were added meanwhile are copied by the owner, and then the log begins anew.
 */
export class Checkpoints {
  readonly #database: LoggedDatabase
  /** Copies on another thread; answers how many frames are left. */
  readonly #copy: () => Promise<number>
  readonly #log: Logger
  readonly #meter: Meter
  #commits = 0
  #running = false

  constructor(database: LoggedDatabase, copy: () => Promise<number>, log: Logger, meter: Meter) {
    this.#database = database
    this.#copy = copy
    this.#log = log
    this.#meter = meter
  }

  /** After a commit. */
  committed(): void {
    if (++this.#commits % LOOK_EVERY !== 0 || this.#running) return
    const frames = this.#database.logFrames()
    this.#meter.gauge('store_wal_frames', frames, { database: this.#database.name })
    if (frames < CHECKPOINT_FRAMES) return
    this.#running = true
    this.#run(frames)
      .catch((error: unknown) => this.#log.warn({ error: String(error) }, 'the log was not copied'))
      .finally(() => {
        this.#running = false
      })
  }

  async #run(frames: number): Promise<void> {
    let left = frames
    try {
      for (let pass = 0; pass < MAX_PASSES && left > LEFT_TO_OWNER; pass++) left = await this.#copy()
    } catch (error) {
      this.#log.warn({ error: String(error) }, 'checkpoint put off')
    }
    if (left <= LEFT_TO_OWNER * 4 || frames > TOO_MANY_FRAMES) await this.#database.copyLog()
  }
}

import type { Logger } from '@postrider/domain'

/** Undone in reverse order when a start fails half-way, and by `stop`. */
export class Undo {
  readonly #steps: (() => void | Promise<void>)[] = []
  add(step: () => void | Promise<void>): void {
    this.#steps.push(step)
  }
  async run(log: Logger | undefined): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        log?.error({ err: error }, 'a part did not close well')
      }
    }
  }
}

import type { Goal, Line } from '../harness/line.ts'
import type { RawImap } from '../harness/raw-imap.ts'
import { inTurns } from '../harness/scenario.ts'
import type { Stage, Subject } from '../harness/stage.ts'

export interface TimedLine {
  readonly what: string
  readonly goals: readonly Goal[]
  readonly note?: string
  /** Answers ms. */
  readonly take: (imap: RawImap, subject: Subject, run: number) => Promise<number>
}

const fastest = 3

/** Lines of milliseconds in a session of its own each, with INBOX open. The best of a few takes counts as the run. */
export async function timed(stage: Stage, lines: readonly TimedLine[], done: (line: Line) => void): Promise<void> {
  const subjects = await stage.filled
  for (const { what, goals, note, take } of lines) {
    const taken = await inTurns(
      stage.runs,
      Object.fromEntries(
        subjects.map((subject) => [
          subject.name,
          async (run: number) => {
            const imap = await subject.login()
            await imap.command('SELECT INBOX')
            const values: number[] = []
            for (let i = 0; i < fastest; i++) values.push(await take(imap, subject, run * fastest + i))
            imap.close()
            return Math.min(...values)
          },
        ]),
      ),
    )
    const { Postrider: ours = [], ...peers } = taken
    done({ what, unit: 'ms', better: 'less', ours, peers, goals, ...(note === undefined ? {} : { note }) })
  }
}

/** The time of one command. */
export const timeOf =
  (command: string): TimedLine['take'] =>
  async (imap) =>
    (await imap.command(command)).ms

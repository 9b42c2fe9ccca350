import type { Canonical } from './canonical.ts'
import type { Ledger } from './deviations.ts'
import type { Flow } from './flows.ts'
import type { Pair } from './side.ts'

const MAILBOX = 'T/corpus'
const SHOWN = 300

const short = (text: string | undefined): string =>
  text === undefined ? 'nothing' : text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text

const difference = (what: string, ours: string | undefined, theirs: string | undefined): string =>
  `${what}\n  ours   ${short(ours)}\n  theirs ${short(theirs)}`

async function both(pair: Pair, command: string): Promise<[Canonical, Canonical]> {
  await Promise.all([pair.ours, pair.theirs].map((side) => side.ask('select', `EXAMINE ${MAILBOX}`)))
  return Promise.all([pair.ours.ask('select', command), pair.theirs.ask('select', command)])
}

/** FETCH of the items for every mail, each mail with a command of its own when one refusal would hide the others. */
export async function fetchDifferences(pair: Pair, items: readonly string[], ledger: Ledger): Promise<string[]> {
  const found: string[] = []
  for (const item of items) {
    const sets = item.startsWith('BINARY') ? pair.mails.map((_, i) => String(i + 1)) : ['1:*']
    for (const set of sets) {
      const [ours, theirs] = await both(pair, `FETCH ${set} (UID ${item})`)
      if (ours.tagged !== theirs.tagged) {
        const mail = pair.mails[Number(set) - 1]?.name ?? set
        if (!ledger.fetch(item, mail)) found.push(difference(`${item} of "${mail}"`, ours.tagged, theirs.tagged))
        continue
      }
      for (const [index, { name }] of pair.mails.entries()) {
        const [mine, other] = [ours.fetched.get(index + 1), theirs.fetched.get(index + 1)]
        for (const key of new Set([...(mine?.keys() ?? []), ...(other?.keys() ?? [])])) {
          if (mine?.get(key) === other?.get(key) || ledger.fetch(item, name, mine?.get(key))) continue
          found.push(difference(`${item} of "${name}", ${key}`, mine?.get(key), other?.get(key)))
        }
      }
    }
  }
  return found
}

/** The mails a plain SEARCH names. */
function hits(answer: Canonical): Set<number> {
  return new Set(
    answer.lines.flatMap((line) => (line.startsWith('SEARCH') ? line.split(' ').slice(1).map(Number) : [])),
  )
}

/** SEARCH programs: which mails only one of the two names. */
export async function searchDifferences(pair: Pair, programs: readonly string[], ledger: Ledger): Promise<string[]> {
  const found: string[] = []
  for (const program of programs) {
    const [ours, theirs] = await both(pair, `SEARCH ${program}`)
    if (ours.tagged !== theirs.tagged) found.push(difference(program, ours.tagged, theirs.tagged))
    const odd = (only: Set<number>, not: Set<number>): string[] =>
      [...only]
        .filter((n) => !not.has(n))
        .map((n) => pair.mails[n - 1]?.name ?? String(n))
        .filter((name) => !ledger.search(program, name))
    const [mine, other] = [odd(hits(ours), hits(theirs)), odd(hits(theirs), hits(ours))]
    if (mine.length + other.length > 0) found.push(difference(`SEARCH ${program}`, `only: ${mine}`, `only: ${other}`))
  }
  return found
}

/** Commands whose answer must be the same to the letter; `$sound` stands for the mails on whose headers both agree. */
export async function orderDifferences(pair: Pair, commands: readonly string[], ledger: Ledger): Promise<string[]> {
  const sound = pair.mails.flatMap(({ name }, i) => (ledger.sound(name) ? [i + 1] : [])).join(',')
  const found: string[] = []
  for (const side of [pair.ours, pair.theirs]) await side.ask('order', `EXAMINE ${MAILBOX}`)
  for (const command of commands) {
    const filled = command.replaceAll('#sound', sound)
    const [ours, theirs] = await Promise.all([pair.ours.ask('order', filled), pair.theirs.ask('order', filled)])
    const [mine, other] = [whole(ours), whole(theirs)]
    if (mine !== other) found.push(difference(command, mine, other))
  }
  return found
}

/** One flow from the start to the end in fresh sessions. */
export async function flowDifferences(pair: Pair, flow: Flow, ledger: Ledger): Promise<string[]> {
  const found: string[] = []
  for (const side of [pair.ours, pair.theirs]) await side.forget()
  for (const [session, command, text] of flow.steps) {
    const literal = text === undefined ? undefined : Buffer.from(text, 'latin1')
    const [ours, theirs] = await Promise.all([
      pair.ours.ask(session, command, literal),
      pair.theirs.ask(session, command, literal),
    ])
    if (/^STATUS .*\(HIGHESTMODSEQ\)$/.test(command)) for (const side of [pair.ours, pair.theirs]) side.mark('first')
    if (whole(ours) === whole(theirs)) continue
    const [mine, other] = ledger.flow(command, whole(ours), whole(theirs))
    if (mine !== other) found.push(difference(`${flow.name}: ${session}: ${command}`, mine, other))
  }
  return found
}

/** Everything an answer says, one thing a line. */
function whole(answer: Canonical): string {
  const fetched = [...answer.fetched]
    .sort(([a], [b]) => a - b)
    .map(
      ([n, attributes]) =>
        `FETCH ${n} ${[...attributes]
          .sort()
          .map(([key, value]) => `${key} ${value}`)
          .join(' ')}`,
    )
  return [answer.tagged, ...[...answer.lines].sort(), ...fetched].join('\n')
}

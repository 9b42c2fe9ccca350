/** Numbers that follow one another without a gap, from `first` to `last`; `at` is the place of the first in the list they come from. */
export interface Stretch {
  readonly first: number
  readonly last: number
  readonly at: number
}

/**
 * A list (ascending, each number once) as stretches: a statement with BETWEEN does all rows of one, which are a folder of a thousand mails as
 * often as a single mail. `parted`: the number at this place begins a stretch of its own although it follows the one before.
 */
export function stretches(
  numbers: readonly number[],
  parted: (at: number) => boolean = () => false,
): readonly Stretch[] {
  const found: Stretch[] = []
  for (let at = 0, end = 1; at < numbers.length; at = end++) {
    while (end < numbers.length && numbers[end] === (numbers[end - 1] as number) + 1 && !parted(end)) end++
    found.push({ first: numbers[at] as number, last: numbers[end - 1] as number, at })
  }
  return found
}

/** From so many rows on a statement of its own pays: it sets up more (SQLite a table in between) than the statements of one row. */
const LONG = 8
export const isLong = ({ first, last }: Stretch): boolean => last - first + 1 >= LONG

/** Numbers in any order, some perhaps several times, as lists that are ascending and hold each once. */
export function rounds(numbers: readonly number[]): readonly (readonly number[])[] {
  const lists: number[][] = []
  const times = new Map<number, number>()
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const before = times.get(number) ?? 0
    times.set(number, before + 1)
    const list = lists[before]
    if (list === undefined) lists.push([number])
    else list.push(number)
  }
  return lists
}

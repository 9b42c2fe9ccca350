/** FilterType as a time: [MS-ASCMD] §2.2.3.68.2. */
const dayMs = 24 * 60 * 60 * 1000

/** Days behind each FilterType; 0 is everything, 8 is for tasks only. */
const filterDays: readonly (number | undefined)[] = [0, 1, 3, 7, 14, 30, 90, 180, undefined]

/** Which FilterTypes a class of folders takes: the table of §2.2.3.68.2. Contacts and notes ignore it (R3078). */
const allowed: Readonly<Record<string, readonly number[]>> = {
  Email: [0, 1, 2, 3, 4, 5],
  Calendar: [0, 4, 5, 6, 7, 8],
  Tasks: [0, 8],
}

/** Whether a class takes a FilterType; a wrong one is Status 4 (R3080). */
export const filterAllowed = (className: string, filterType: number): boolean =>
  allowed[className]?.includes(filterType) ?? true

/**
 * Items received before the answer, ms since 1970, are outside the filter; 0 is no filter. The window begins at a full
 * hour, so that items leave the device in batches and not one with every Sync.
 */
export function cutoffOf(filterType: number, now: number): number {
  const days = filterDays[filterType] ?? 0
  if (days === 0) return 0
  const hourMs = 60 * 60 * 1000
  return Math.floor((now - days * dayMs) / hourMs) * hourMs
}

/** How wide the panes are: chosen by dragging or by key, for this device alone. */

export type Pane = 'list' | 'rows' | 'folders'
const KEY = 'postrider.panes'

/** Least and most of each: pixels, of the rows per cent of the height. */
export const paneLimits: Readonly<
  Record<Pane, { readonly least: number; readonly most: number; readonly unit: string }>
> = {
  list: { least: 280, most: 720, unit: 'px' },
  folders: { least: 180, most: 400, unit: 'px' },
  rows: { least: 20, most: 75, unit: '%' },
}

type Sizes = Partial<Record<Pane, number>>

function read(): Sizes {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Sizes
  } catch {
    // Not readable: as delivered.
    return {}
  }
}

function apply(pane: Pane, size: number | undefined): void {
  const { style } = document.documentElement
  if (size === undefined) style.removeProperty(`--own-${pane}`)
  else style.setProperty(`--own-${pane}`, `${size}${paneLimits[pane].unit}`)
}

/** What was chosen on this device before. */
export function usePanes(): void {
  for (const [pane, size] of Object.entries(read()))
    if (pane in paneLimits && typeof size === 'number') apply(pane as Pane, size)
}

/** Within its limits, shown at once; `keep`: also for the next time. Undefined: as delivered. Answers what it became. */
export function resize(pane: Pane, wanted: number | undefined, keep: boolean): number | undefined {
  const { least, most } = paneLimits[pane]
  const size = wanted === undefined ? undefined : Math.round(Math.max(least, Math.min(most, wanted)))
  apply(pane, size)
  if (keep) {
    const { [pane]: _, ...rest } = read()
    localStorage.setItem(KEY, JSON.stringify(size === undefined ? rest : { ...rest, [pane]: size }))
  }
  return size
}

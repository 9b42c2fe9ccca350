/** Clicks on rows: open; with Ctrl one more, with Shift all between. */
import { app } from '../app.ts'
import type { Id } from '../jmap/types.ts'

let anchor = 0

export function onSelect(event: MouseEvent, index: number, id: Id, toggle = false): void {
  const { selected, cursor, list } = app
  if (event.shiftKey) {
    event.preventDefault()
    const chosen = new Set(selected.peek())
    const [from, to] = anchor < index ? [anchor, index] : [index, anchor]
    for (let i = from; i <= to; i++) {
      const one = list.peek()?.at(i)
      if (one !== undefined) chosen.add(one)
    }
    selected.value = chosen
  } else if (toggle || event.ctrlKey || event.metaKey) toggleRow(id)
  else if (selected.peek().size > 0 && matchMedia('(pointer: coarse)').matches) toggleRow(id)
  else {
    if (selected.peek().size > 0) selected.value = new Set()
    app.open(id)
  }
  app.wholeFolder.value = false
  if (!event.shiftKey) anchor = index
  cursor.value = index
}

export function toggleRow(id: Id): void {
  const chosen = new Set(app.selected.peek())
  if (!chosen.delete(id)) chosen.add(id)
  app.selected.value = chosen
}
/** Shift and arrows: from where one began to where one is. */
export function extendTo(index: number, from: number): void {
  if (app.selected.peek().size === 0) anchor = from
  const chosen = new Set<Id>()
  for (let i = Math.min(anchor, index); i <= Math.max(anchor, index); i++) {
    const one = app.list.peek()?.at(i)
    if (one !== undefined) chosen.add(one)
  }
  app.selected.value = chosen
}

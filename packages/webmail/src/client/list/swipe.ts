/** Swiping a row on touch: the acts the user chose for right and left; near the screen's edge it is the system's. */
import { app } from '../app.ts'
import type { Id } from '../jmap/types.ts'
import { archive, isFlagged, isUnread, setFlag, setRead, trash } from '../mail/acts.ts'
import { anchorOf, snoozeMenu } from '../mail/marking.ts'
import { settings, type SwipeAct } from '../store/settings.ts'
import { rowMenu } from './row-menu.ts'

const EDGE = 24
const START = 12
const HELD_MS = 500

const acts: Readonly<Record<SwipeAct, (id: Id) => void>> = {
  archive: (id) => void archive([id]),
  trash: (id) => void trash([id]),
  read: (id) => void setRead([id], isUnread(id)),
  flag: (id) => setFlag([id], !isFlagged(id)),
  move: (id) => {
    app.selected.value = new Set([id])
    app.shown.value = 'move'
  },
  snooze: (id) => snoozeMenu([id], anchorOf(id)),
  none: () => {},
}

export function swipe(id: Id) {
  let startX = -1
  let startY = 0
  let moved = 0
  let swiping = false
  let held: ReturnType<typeof setTimeout> | undefined
  const end = (row: HTMLElement): void => {
    clearTimeout(held)
    row.style.removeProperty('--swipe')
    delete row.dataset.swipe
  }
  return {
    onTouchStart(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const [touch] = event.touches
      moved = 0
      swiping = false
      if (
        touch === undefined ||
        event.touches.length > 1 ||
        touch.clientX < EDGE ||
        touch.clientX > innerWidth - EDGE
      ) {
        startX = -1
        return
      }
      startX = touch.clientX
      startY = touch.clientY
      const row = event.currentTarget
      held = setTimeout(() => {
        if (!swiping) rowMenu(row, id)
      }, HELD_MS)
    },
    onTouchMove(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const [touch] = event.touches
      if (touch === undefined || startX < 0) return
      const x = touch.clientX - startX
      const y = touch.clientY - startY
      if (!swiping) {
        if (Math.abs(x) > START || Math.abs(y) > START) clearTimeout(held)
        if (Math.abs(y) > START) startX = -1
        if (Math.abs(x) < START || Math.abs(y) > Math.abs(x)) return
        swiping = true
      }
      const { swipeRight, swipeLeft } = settings.peek()
      const act = x > 0 ? swipeRight : swipeLeft
      moved = act === 'none' ? 0 : x
      const row = event.currentTarget
      row.style.setProperty('--swipe', `${moved}px`)
      if (act === 'none') delete row.dataset.swipe
      else
        row.dataset.swipe = `${act} ${x > 0 ? 'right' : 'left'} ${Math.abs(moved) > row.offsetWidth * 0.3 ? 'far' : ''}`
      if (event.cancelable) event.preventDefault()
    },
    onTouchEnd(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const row = event.currentTarget
      end(row)
      if (!swiping) return
      if (event.cancelable) event.preventDefault()
      const { swipeRight, swipeLeft } = settings.peek()
      if (Math.abs(moved) > row.offsetWidth * 0.3) acts[moved > 0 ? swipeRight : swipeLeft](id)
    },
    onTouchCancel(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      end(event.currentTarget)
    },
  }
}

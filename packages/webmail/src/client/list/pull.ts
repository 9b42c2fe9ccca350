/** Pulling the list down on touch asks the server for what is new. The same is in the menu, under Refresh. */
import { app } from '../app.ts'

const FAR = 72
const MOST = 110

/** Handlers for the scrolling box of the list. */
export function pull() {
  let startY = -1
  let startX = 0
  let moved = 0
  const end = (box: HTMLElement): void => {
    box.style.removeProperty('--pull')
    delete box.dataset.pull
    startY = -1
  }
  return {
    onTouchStart(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const [touch] = event.touches
      startY =
        touch !== undefined && event.touches.length === 1 && event.currentTarget.scrollTop <= 0 ? touch.clientY : -1
      startX = touch?.clientX ?? 0
      moved = 0
    },
    onTouchMove(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const [touch] = event.touches
      const box = event.currentTarget
      if (touch === undefined || startY < 0) return
      const y = touch.clientY - startY
      // A swipe to the side belongs to the row.
      if (y <= 0 || Math.abs(touch.clientX - startX) > y || box.scrollTop > 0) {
        end(box)
        return
      }
      moved = Math.min(MOST, y * 0.6)
      box.style.setProperty('--pull', `${moved}px`)
      box.dataset.pull = moved >= FAR ? 'far' : 'near'
      if (event.cancelable) event.preventDefault()
    },
    onTouchEnd(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      const far = startY >= 0 && moved >= FAR
      end(event.currentTarget)
      if (!far) return
      const list = app.list.peek()
      void Promise.all([app.sync.run(), list?.refresh(), app.device.peek()?.outbox.flush()])
    },
    onTouchCancel(event: TouchEvent & { readonly currentTarget: HTMLElement }): void {
      end(event.currentTarget)
    },
  }
}

/** The line between two panes: dragged, moved by the arrow keys, put back by a double click. WAI-ARIA: a focusable separator. */
import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t, type TextKey } from '../text/text.ts'
import { type Pane, paneLimits, resize } from './panes.ts'

const names: Readonly<Record<Pane, TextKey>> = { list: 'resizeList', rows: 'resizeRows', folders: 'resizeFolders' }
const STEP: Readonly<Record<Pane, number>> = { list: 16, folders: 16, rows: 3 }

/** The pane in front of the line, and what its size is counted in. */
function measure(line: HTMLElement, pane: Pane): number {
  const before = pane === 'folders' ? document.querySelector('.shell > .folders') : document.querySelector('.list')
  const box = before?.getBoundingClientRect()
  if (box === undefined) return 0
  if (pane !== 'rows') return box.width
  return (box.height / Math.max(1, line.parentElement?.clientHeight ?? 1)) * 100
}

export function Divider({ pane }: { readonly pane: Pane }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState(0)
  const { least, most } = paneLimits[pane]
  const look = (): number => {
    const now = ref.current === null ? 0 : Math.round(measure(ref.current, pane))
    setSize(now)
    return now
  }
  useLayoutEffect(() => {
    look()
    const again = (): void => void look()
    addEventListener('resize', again)
    return () => removeEventListener('resize', again)
  }, [pane])
  const to = (wanted: number | undefined, keep: boolean): void => {
    resize(pane, wanted, keep)
    look()
  }
  const onPointerDown = (event: PointerEvent): void => {
    const line = ref.current
    if (line === null || event.button !== 0) return
    event.preventDefault()
    line.setPointerCapture(event.pointerId)
    const from = pane === 'rows' ? event.clientY : event.clientX
    const before = measure(line, pane)
    const mirrored = getComputedStyle(line).direction === 'rtl' ? -1 : 1
    const sized = (moved: PointerEvent): number => {
      if (pane !== 'rows') return before + (moved.clientX - from) * mirrored
      return before + ((moved.clientY - from) / Math.max(1, line.parentElement?.clientHeight ?? 1)) * 100
    }
    const move = (moved: PointerEvent): void => to(sized(moved), false)
    const end = (last: PointerEvent): void => {
      line.removeEventListener('pointermove', move)
      line.removeEventListener('pointerup', end)
      line.removeEventListener('pointercancel', end)
      if (last.type === 'pointerup' && Math.abs(sized(last) - before) > 1) to(sized(last), true)
    }
    line.addEventListener('pointermove', move)
    line.addEventListener('pointerup', end)
    line.addEventListener('pointercancel', end)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const mirrored = pane !== 'rows' && getComputedStyle(event.currentTarget as Element).direction === 'rtl' ? -1 : 1
    const now = look()
    const steps: Readonly<Record<string, number>> = {
      [pane === 'rows' ? 'ArrowUp' : 'ArrowLeft']: now - STEP[pane] * mirrored,
      [pane === 'rows' ? 'ArrowDown' : 'ArrowRight']: now + STEP[pane] * mirrored,
      Home: least,
      End: most,
    }
    const wanted = steps[event.key]
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    event.stopPropagation()
    to(wanted, true)
  }
  return (
    <div
      ref={ref}
      class={`divider divider-${pane}`}
      role="separator"
      tabIndex={0}
      aria-orientation={pane === 'rows' ? 'horizontal' : 'vertical'}
      aria-label={t(names[pane])}
      aria-valuenow={Math.max(least, Math.min(most, size))}
      aria-valuemin={least}
      aria-valuemax={most}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
      onDblClick={() => to(undefined, true)}
    />
  )
}

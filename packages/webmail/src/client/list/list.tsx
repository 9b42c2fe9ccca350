/** The whole folder as one list: rows of one height, only those near the screen are there. */
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState, useMemo } from 'preact/hooks'
import { app } from '../app.ts'
import type { ListQuery } from '../store/query.ts'
import { rowHeights, settings, wideRowHeights } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { Empty } from './empty.tsx'
import { ListHead } from './list-head.tsx'
import { pull } from './pull.ts'
import { Row } from './row.tsx'
import { rowMenu } from './row-menu.ts'
import { extendTo, toggleRow } from './selecting.ts'

const OVERSCAN = 8
/** Rows read before they are in sight: what scrolls in is there already, and comes row by row. */
const AHEAD = 40
const LOAD_MS = 40
const coarse = matchMedia('(pointer: coarse)').matches
const PREFETCH = 3

export function List(): JSX.Element {
  const list = app.list.value
  return (
    <section class="list" aria-label={t('messages')}>
      <ListHead />
      {list === undefined ? <div class="list-rows" /> : <Rows key={list.key} list={list} />}
    </section>
  )
}

function Rows({ list }: { readonly list: ListQuery }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  const [view, setView] = useState(innerHeight)
  void list.version.value
  const total = list.total.value
  const { pane, density } = settings.value
  const heights = pane === 'right' || innerWidth < 700 ? rowHeights : wideRowHeights
  const height = coarse || innerWidth < 700 ? Math.max(rowHeights[density], 72) : heights[density]
  // Rows out of sight come behind the first frame.
  const [beyond, setBeyond] = useState(0)
  useEffect(() => setBeyond(OVERSCAN), [])
  const first = Math.max(0, Math.floor(top / height) - beyond)
  const last = Math.min((total ?? 0) - 1, Math.ceil((top + view) / height) + beyond)
  const cursor = Math.min(app.cursor.value, Math.max(0, (total ?? 1) - 1))

  useLayoutEffect(() => {
    const box = ref.current
    if (box === null) return
    const watch = new ResizeObserver(() => setView(box.clientHeight))
    watch.observe(box)
    setView(box.clientHeight)
    let asked = 0
    const onScroll = (): void => {
      cancelAnimationFrame(asked)
      asked = requestAnimationFrame(() => setTop(box.scrollTop))
    }
    box.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      watch.disconnect()
      box.removeEventListener('scroll', onScroll)
      cancelAnimationFrame(asked)
    }
  }, [])

  // While the user drags the thumb through thousands of rows only where they stop is read.
  useEffect(() => {
    const timer = setTimeout(
      () =>
        void list.ensure(Math.max(0, first - AHEAD), Math.max(last, first + 20) + (total === undefined ? 0 : AHEAD)),
      total === undefined ? 0 : LOAD_MS,
    )
    return () => clearTimeout(timer)
  }, [list, first, last])

  const reveal = (index: number): void => {
    const box = ref.current
    if (box === null) return
    const y = index * height
    if (y < box.scrollTop) box.scrollTop = y
    else if (y + height > box.scrollTop + box.clientHeight) box.scrollTop = y + height - box.clientHeight
  }
  const firstCursor = useRef(true)
  useLayoutEffect(() => {
    if (firstCursor.current) {
      firstCursor.current = false
      return
    }
    reveal(cursor)
    setTop(ref.current?.scrollTop ?? 0)
  }, [cursor])
  // The focus follows the cursor when it is in the list, also when its row was taken away far from where it goes.
  const follow = useRef(false)
  useLayoutEffect(() => {
    const box = ref.current
    if (box === null || (!follow.current && !box.contains(document.activeElement))) return
    const row = box.querySelector<HTMLElement>(`#row-${cursor}`)
    if (row === null) return
    follow.current = false
    if (document.activeElement !== row) row.focus({ preventScroll: true })
  })

  // The open mail's neighbours are read ahead.
  const open = app.openEmail.value
  useEffect(() => {
    const at = open === undefined ? -1 : list.indexOf(open)
    if (at < 0) return
    if (app.cursor.peek() !== at) app.cursor.value = at
    const timer = setTimeout(() => {
      const near: string[] = []
      for (let i = at - PREFETCH; i <= at + PREFETCH; i++) {
        const id = list.at(i)
        if (id !== undefined && id !== open) near.push(id)
      }
      app.contents.prefetch(near, settings.peek().pictures === 'always')
    }, 150)
    return () => clearTimeout(timer)
  }, [open, list])

  const pulling = useMemo(pull, [])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return
    const page = Math.max(1, Math.floor(view / height) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: cursor + 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: (total ?? 1) - 1,
    }
    const to = moves[event.key]
    const id = list.at(cursor)
    if (to !== undefined) {
      const index = Math.max(0, Math.min((total ?? 1) - 1, to))
      if (event.shiftKey) extendTo(index, cursor)
      follow.current = true
      app.cursor.value = index
    } else if (event.key === 'Enter' && id !== undefined) app.open(id)
    else if (event.key === ' ' && id !== undefined) toggleRow(id)
    else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && id !== undefined) {
      const row = document.querySelector(`#row-${cursor}`)
      if (row !== null) rowMenu(row, id)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  if (total === 0) return <Empty />
  const indexes: number[] = []
  for (let i = first; i <= last; i++) indexes.push(i)
  if (total !== undefined && (cursor < first || cursor > last)) indexes.push(cursor)
  return (
    <div
      ref={ref}
      class="list-rows"
      role="grid"
      aria-label={t('messages')}
      aria-rowcount={total ?? -1}
      aria-multiselectable="true"
      aria-busy={total === undefined}
      tabIndex={total === undefined ? 0 : -1}
      style={{ '--row': `${height}px` }}
      onKeyDown={onKeyDown}
      {...pulling}
    >
      <div role="rowgroup" class="list-space" style={{ height: `${(total ?? 0) * height}px` }}>
        {indexes.map((index) => (
          <Row key={index} list={list} index={index} id={list.at(index)} height={height} isCursor={index === cursor} />
        ))}
      </div>
      {list.problem.value === 'failed' && (
        <p class="list-problem" role="alert">
          {t('loadFailed')}{' '}
          <button type="button" class="button" onClick={() => void list.refresh()}>
            {t('retry')}
          </button>
        </p>
      )}
    </div>
  )
}

/** One menu at a time, by button or at the pointer: `role=menu`, arrow keys, letters, Escape gives the focus back. */
import { type Signal, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem {
  readonly label: string
  readonly icon?: IconName | undefined
  readonly keyHint?: string | undefined
  readonly checked?: boolean | undefined
  readonly danger?: boolean | undefined
  /** A line above it. */
  readonly apart?: boolean | undefined
  readonly run: () => void
}
interface Open {
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly at: { readonly x: number; readonly y: number; readonly end: boolean }
  readonly from: Element | null
}
const open: Signal<Open | undefined> = signal(undefined)

export function openMenu(label: string, items: readonly MenuItem[], at: MouseEvent | Element): void {
  const from = at instanceof Element ? at : at.currentTarget instanceof Element ? at.currentTarget : null
  const byPointer = !(at instanceof Element) && at.type === 'contextmenu' && at.clientX > 0
  const box = from?.getBoundingClientRect()
  open.value = {
    label,
    items,
    at: byPointer
      ? { x: at.clientX, y: at.clientY, end: false }
      : {
          x: (box?.left ?? 0) > innerWidth / 2 ? (box?.right ?? 0) : (box?.left ?? 0),
          y: (box?.bottom ?? 0) + 4,
          end: (box?.left ?? 0) > innerWidth / 2,
        },
    from: document.activeElement,
  }
}

export function Menu(): JSX.Element | null {
  const now = open.value
  return now === undefined ? null : <Shown key={now.label} {...now} />
}

function Shown({ label, items, at, from }: Open): JSX.Element {
  const ref = useRef<HTMLDivElement>(null)
  const close = (): void => {
    open.value = undefined
    if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true })
  }
  useLayoutEffect(() => {
    const menu = ref.current
    if (menu === null) return
    const { offsetWidth: width, offsetHeight: height } = menu
    const x = at.end ? at.x - width : at.x
    menu.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`
    menu.style.top = `${Math.max(8, Math.min(at.y, innerHeight - height - 8))}px`
    menu.querySelector<HTMLElement>('[role^=menuitem]')?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    const away = (event: Event): void => {
      if (!(event.target instanceof Node) || ref.current?.contains(event.target) !== true) close()
    }
    addEventListener('pointerdown', away, true)
    addEventListener('resize', close)
    return () => {
      removeEventListener('pointerdown', away, true)
      removeEventListener('resize', close)
    }
  })
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])]
    const now = all.indexOf(document.activeElement as HTMLElement)
    const go = (index: number): void => all[(index + all.length) % all.length]?.focus()
    if (event.key === 'ArrowDown') go(now + 1)
    else if (event.key === 'ArrowUp') go(now - 1)
    else if (event.key === 'Home') go(0)
    else if (event.key === 'End') go(-1)
    else if (event.key === 'Escape' || event.key === 'Tab') close()
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const next = [...all.slice(now + 1), ...all.slice(0, now + 1)].find((one) =>
        one.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()),
      )
      next?.focus()
    } else return
    if (event.key !== ' ') event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div ref={ref} class="menu" role="menu" aria-label={label} tabIndex={-1} onKeyDown={onKeyDown}>
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
          aria-checked={item.checked}
          class={`menu-item ${item.danger === true ? 'danger' : ''} ${item.apart === true ? 'apart' : ''}`}
          tabIndex={-1}
          onClick={() => {
            close()
            item.run()
          }}
        >
          <span class="menu-icon">
            {item.checked === true ? <Icon name="check" /> : item.icon === undefined ? null : <Icon name={item.icon} />}
          </span>
          <span class="menu-label">{item.label}</span>
          {item.keyHint !== undefined && <kbd aria-hidden="true">{item.keyHint}</kbd>}
        </button>
      ))}
    </div>
  )
}

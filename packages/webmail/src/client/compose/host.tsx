/** The windows of writing, over everything else. */
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { focusList } from '../commands.ts'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { windows } from './open.ts'

const Composer = lazy(() => import('./composer.tsx').then((one) => one.Composer))

export function ComposeHost(): JSX.Element | null {
  const all = windows.value
  // The window one wrote in is gone, and the focus with it: keys and screen readers go on in the list.
  const before = useRef(all.length)
  useEffect(() => {
    const fewer = all.length < before.current
    before.current = all.length
    if (fewer && (document.activeElement === null || document.activeElement === document.body)) focusList()
  }, [all.length])
  return all.length === 0 ? null : (
    <div class="compose-windows">
      {all.map((one) => (
        <Suspense key={one.key} of={Composer} start={one} />
      ))}
    </div>
  )
}

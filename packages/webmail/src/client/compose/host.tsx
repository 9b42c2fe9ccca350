/** The windows of writing, over everything else. */
import type { JSX } from 'preact'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { windows } from './open.ts'

const Composer = lazy(() => import('./composer.tsx').then((one) => one.Composer))

export function ComposeHost(): JSX.Element | null {
  const all = windows.value
  return all.length === 0 ? null : (
    <div class="compose-windows">
      {all.map((one) => (
        <Suspense key={one.key} of={Composer} start={one} />
      ))}
    </div>
  )
}

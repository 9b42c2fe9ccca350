/** Parts that are loaded when first shown. A placeholder comes only after 150 ms, by style. */
import type { ComponentType, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../text/text.ts'

export interface Lazy<P> {
  loaded: ComponentType<P> | undefined
  readonly load: () => Promise<ComponentType<P>>
}

export const lazy = <P,>(load: () => Promise<ComponentType<P>>): Lazy<P> => ({ loaded: undefined, load })

export function Suspense<P>({ of, ...props }: { readonly of: Lazy<P> } & P): JSX.Element {
  const [, drawn] = useState(0)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    if (of.loaded !== undefined) return
    of.load().then(
      (component) => {
        of.loaded = component
        drawn((n) => n + 1)
      },
      () => setFailed(true),
    )
  }, [of])
  if (of.loaded !== undefined) {
    const Component = of.loaded as ComponentType<Record<string, unknown>>
    return <Component {...(props as Record<string, unknown>)} />
  }
  return failed ? <p role="alert">{t('failed')}</p> : <div class="coming" aria-busy="true" />
}

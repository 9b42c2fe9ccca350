/** The text of a mail in a frame without scripts: its own document, its own policy, its height read from outside. */
import type { JSX } from 'preact'
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { clean } from './sanitise.ts'
import { isLoaded, takeFrame } from './spare-frame.ts'

/** Dark only where the mail says nothing of colours: turned around, pictures turned back. */
const sheet = `
html{color-scheme:light;background:#fff;color:#1c2026;-webkit-text-size-adjust:100%}
html.own{background:transparent;color:inherit}
html.dark.own{color-scheme:dark;color:#e6e8ec}
html.dark.turned{filter:invert(1) hue-rotate(180deg);background:#fff}
html.dark.turned img,html.dark.turned video,html.dark.turned [style*="background-image"]{filter:invert(1) hue-rotate(180deg)}
body{margin:0;padding:2px 0;font:16px/1.5 "Segoe UI Variable Text","Segoe UI",system-ui,-apple-system,Roboto,"Noto Sans",sans-serif;overflow-wrap:break-word}
body.plain{white-space:pre-wrap;max-width:72ch}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}
blockquote{margin:8px 0;padding-inline-start:12px;border-inline-start:2px solid #c5cad3}
a{color:#1f5fc4}html.dark.own a{color:#8ab4f8}
.no-text{opacity:.7}
details.quoted>summary{list-style:none;cursor:pointer;display:inline-block;padding:0 10px;margin:4px 0;border-radius:6px;background:#8882;line-height:18px}
details.quoted>summary::-webkit-details-marker{display:none}
@media print{html.dark.turned{filter:none}}
`
export function Frame({
  html,
  plain,
  title,
}: {
  readonly html: string
  readonly plain: boolean
  readonly title: string
}): JSX.Element {
  const slot = useRef<HTMLSpanElement>(null)
  const ref = useRef<HTMLIFrameElement | undefined>(undefined)
  void settings.value.theme
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
    ? settings.value.theme !== 'light'
    : settings.value.theme === 'dark'
  const [original, setOriginal] = useState(false)
  const [fragment, own] = useMemo(() => {
    const made = clean(html)
    const plainColours = plain || !hasColours(made)
    foldQuote(made)
    return [made, plainColours] as const
  }, [html, plain])
  const theme = dark && (own || !original) ? 'dark ' : ''
  /** Puts the text into the frame's own document, whose policy is not the page's: styles of mails apply there and nowhere else. */
  const fill = useRef((): void => {})
  fill.current = () => {
    const inside = ref.current === undefined ? undefined : isLoaded(ref.current)
    if (inside === undefined) return
    inside.documentElement.className = `${theme}${own ? 'own' : 'turned'}`
    if (inside.head.querySelector('style') === null) {
      const style = inside.createElement('style')
      style.textContent = sheet
      inside.head.append(style)
    }
    inside.body.className = plain ? 'plain' : ''
    inside.body.dir = 'auto'
    inside.body.replaceChildren(inside.importNode(fragment, true))
    filled.current()
  }
  const filled = useRef((): void => {})
  useLayoutEffect(() => fill.current(), [fragment, own, plain, theme])
  // Before the frame can have loaded: one that comes from the cache does so within the next frame on the screen.
  useLayoutEffect(() => {
    if (slot.current === null) return
    const frame = takeFrame(slot.current, `${app.base}frame.html`)
    ref.current = frame
    let watch: ResizeObserver | undefined
    let height = 120
    frame.style.height = `${height}px`
    const measure = (): void => {
      const inside = frame.contentDocument
      if (inside?.body == null) return
      const zoom = fit(inside)
      const now = Math.ceil(Math.max(inside.body.scrollHeight * zoom, inside.body.getBoundingClientRect().bottom))
      // A page as high as its frame plus something would grow for ever: it is read once without a height.
      if (Math.abs(height - now) <= 1) return
      height = Math.min(now + (inside.body.scrollWidth > inside.body.clientWidth ? 16 : 0), 60_000)
      frame.style.height = `${height}px`
    }
    filled.current = () => {
      const inside = frame.contentDocument
      if (inside?.body == null) return
      measure()
      watch?.disconnect()
      watch = new ResizeObserver(measure)
      watch.observe(inside.body)
      watch.observe(frame)
      for (const picture of inside.images) picture.addEventListener('load', measure)
      frame.dataset.ready = '1'
    }
    const onLoad = (): void => {
      const inside = frame.contentDocument
      if (inside?.body == null) return
      fill.current()
      // Keys work although the focus is in the text.
      inside.addEventListener('keydown', (event) => {
        const copy = new KeyboardEvent('keydown', event)
        if (!window.dispatchEvent(copy)) event.preventDefault()
      })
      inside.addEventListener('pointerdown', () => window.dispatchEvent(new PointerEvent('pointerdown')))
    }
    if (isLoaded(frame) !== undefined) onLoad()
    else frame.addEventListener('load', onLoad)
    return () => {
      frame.removeEventListener('load', onLoad)
      watch?.disconnect()
      frame.remove()
    }
  }, [])
  useLayoutEffect(() => {
    if (ref.current !== undefined) ref.current.title = title
  }, [title])
  return (
    <>
      <span ref={slot} class="frame-slot" />
      {dark && !own && (
        <button type="button" class="link-button original" onClick={() => setOriginal(!original)}>
          {t(original ? 'darkColours' : 'originalColours')}
        </button>
      )}
    </>
  )
}

const SMALLEST = 0.5
/** A mail made for a wider screen is shown smaller, as far as it stays readable; what is wider still is scrolled. Answers how small. */
function fit({ documentElement, body }: Document): number {
  const room = documentElement.clientWidth
  body.style.zoom = ''
  const wide = body.scrollWidth
  const zoom = room > 0 && wide > room + 1 ? Math.max(SMALLEST, Math.floor((room / wide) * 100) / 100) : 1
  if (zoom !== 1) body.style.zoom = String(zoom)
  return zoom
}

/** What is quoted at the end is folded: it stands above already. */
function foldQuote(fragment: DocumentFragment): void {
  const quotes = [...fragment.querySelectorAll('blockquote')].filter(
    (one) => one.parentElement?.closest('blockquote') == null,
  )
  const last = quotes.at(-1)
  if (last === undefined || (last.textContent?.length ?? 0) < 200) return
  const holder = document.implementation.createHTMLDocument('')
  const details = holder.createElement('details')
  details.className = 'quoted'
  const summary = holder.createElement('summary')
  summary.textContent = '···'
  summary.setAttribute('aria-label', t('showQuoted'))
  last.replaceWith(details)
  details.append(summary, last)
}

/** Whether a mail says anything about colours; the first style sheet is the server's own. */
function hasColours(fragment: DocumentFragment): boolean {
  if (fragment.querySelector('[bgcolor],[color],[style*="color"],[style*="background"]') !== null) return true
  return [...fragment.querySelectorAll('style')].slice(1).some((one) => /color|background/.test(one.textContent ?? ''))
}

/** The text of a mail in a frame without scripts: its own document, its own policy, its height read from outside. */
import type { JSX } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { settings } from '../store/settings.ts'
import { t } from '../text/text.ts'
import { clean, htmlOf } from './sanitise.ts'
import { trusted } from './trusted.ts'

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
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob:"

export function Frame({
  html,
  plain,
  title,
}: {
  readonly html: string
  readonly plain: boolean
  readonly title: string
}): JSX.Element {
  const ref = useRef<HTMLIFrameElement>(null)
  const [height, setHeight] = useState(120)
  void settings.value.theme
  const dark = matchMedia('(prefers-color-scheme: dark)').matches
    ? settings.value.theme !== 'light'
    : settings.value.theme === 'dark'
  const [original, setOriginal] = useState(false)
  const [fragment, own] = useMemo(() => {
    const made = clean(html)
    const plainColours = plain || !hasColours(made)
    foldQuote(made)
    return [htmlOf(made), plainColours] as const
  }, [html, plain])
  const document_ = useMemo(() => {
    const theme = dark && (own || !original) ? 'dark ' : ''
    return trusted(
      `<!doctype html><html class="${theme}${own ? 'own' : 'turned'}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><base target="_blank"><style>${sheet}</style></head><body class="${plain ? 'plain' : ''}" dir="auto">${fragment}</body></html>`,
    )
  }, [fragment, own, plain, dark, original])
  useLayoutEffect(() => {
    const frame = ref.current
    if (frame !== null) frame.srcdoc = document_
  }, [document_])
  useEffect(() => {
    const frame = ref.current
    if (frame === null) return
    let watch: ResizeObserver | undefined
    const measure = (): void => {
      const inside = frame.contentDocument
      if (inside?.body == null) return
      const now = Math.ceil(Math.max(inside.body.scrollHeight, inside.body.getBoundingClientRect().bottom))
      // A page as high as its frame plus something would grow for ever: it is read once without a height.
      setHeight((before) =>
        Math.abs(before - now) > 1
          ? Math.min(now + (inside.body.scrollWidth > inside.body.clientWidth ? 16 : 0), 60_000)
          : before,
      )
    }
    const onLoad = (): void => {
      const inside = frame.contentDocument
      if (inside?.body == null) return
      measure()
      watch?.disconnect()
      watch = new ResizeObserver(measure)
      watch.observe(inside.body)
      for (const picture of inside.images) picture.addEventListener('load', measure)
      // Keys work although the focus is in the text.
      inside.addEventListener('keydown', (event) => {
        const copy = new KeyboardEvent('keydown', event)
        if (!window.dispatchEvent(copy)) event.preventDefault()
      })
      inside.addEventListener('pointerdown', () => window.dispatchEvent(new PointerEvent('pointerdown')))
      frame.dataset.ready = '1'
    }
    frame.addEventListener('load', onLoad)
    return () => {
      frame.removeEventListener('load', onLoad)
      watch?.disconnect()
    }
  }, [])
  return (
    <>
      <iframe
        ref={ref}
        class="message-frame"
        title={title}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        referrerpolicy="no-referrer"
        style={{ height: `${height}px` }}
      />
      {dark && !own && (
        <button type="button" class="link-button original" onClick={() => setOriginal(!original)}>
          {t(original ? 'darkColours' : 'originalColours')}
        </button>
      )}
    </>
  )
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

/**
 * A frame for the text of a mail, with its empty document in it. One is kept loaded for the next mail, where the browser can move it into its
 * place without loading it again (`moveBefore`, DOM Standard §4.2.3).
 */
const SPARE_AFTER_MS = 300

const movable = 'moveBefore' in Element.prototype
/** Out of sight of everything that looks for frames of mails: nobody should find one without a mail. */
let shelf: ShadowRoot | undefined
let spare: HTMLIFrameElement | undefined
let due: ReturnType<typeof setTimeout> | undefined

/** The frame's document when it has come. */
export function isLoaded(frame: HTMLIFrameElement): Document | undefined {
  const inside = frame.contentDocument
  return inside?.body == null || inside.URL === 'about:blank' || inside.readyState !== 'complete' ? undefined : inside
}

function make(url: string): HTMLIFrameElement {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-same-origin allow-popups allow-popups-to-escape-sandbox')
  frame.referrerPolicy = 'no-referrer'
  frame.src = url
  return frame
}

function makeShelf(): ShadowRoot {
  const holder = document.createElement('div')
  holder.hidden = true
  document.body.append(holder)
  return holder.attachShadow({ mode: 'closed' })
}

/** Puts a frame into its place, loaded already if one was kept. `url`: of the empty document. */
export function takeFrame(place: HTMLElement, url: string): HTMLIFrameElement {
  const kept = spare !== undefined && isLoaded(spare) !== undefined ? spare : undefined
  const frame = kept ?? make(url)
  if (kept === undefined) place.append(frame)
  else {
    place.moveBefore(kept, null)
    spare = undefined
  }
  frame.className = 'message-frame'
  if (movable && spare === undefined) {
    clearTimeout(due)
    due = setTimeout(() => {
      spare ??= make(url)
      shelf ??= makeShelf()
      shelf.append(spare)
    }, SPARE_AFTER_MS)
  }
  return frame
}

/** The user's choices of this browser. */
import { effect, signal } from '@preact/signals'
import { choicesCookie, writeChoices } from '../../start.ts'
import { language, useLanguage } from '../text/text.ts'

export interface Settings {
  readonly theme: 'system' | 'light' | 'dark'
  readonly contrast: 'normal' | 'more'
  readonly density: 'compact' | 'normal' | 'roomy'
  readonly pane: 'right' | 'bottom' | 'off'
  readonly conversations: boolean
  readonly keys: 'outlook' | 'gmail' | 'off'
  readonly language: 'en' | 'fr' | ''
  readonly pictures: 'ask' | 'always'
  readonly undoSeconds: 0 | 5 | 10 | 20 | 30
  readonly swipeRight: SwipeAct
  readonly swipeLeft: SwipeAct
  readonly afterAct: 'next' | 'list'
  /** Days of mail kept on this device. */
  readonly offlineDays: 0 | 7 | 30 | 90
}
export type SwipeAct = 'archive' | 'trash' | 'read' | 'flag' | 'move' | 'none'

export const defaults: Settings = {
  theme: 'system',
  contrast: 'normal',
  density: 'normal',
  pane: 'right',
  conversations: true,
  keys: 'outlook',
  language: '',
  pictures: 'ask',
  undoSeconds: 10,
  swipeRight: 'archive',
  swipeLeft: 'trash',
  afterAct: 'next',
  offlineDays: 30,
}

const KEY = 'postrider.settings'
export const settings = signal<Settings>(defaults)
export const set = (changes: Partial<Settings>): void => {
  settings.value = { ...settings.peek(), ...changes }
}

/** Reads what was chosen, and follows. */
export async function useSettings(): Promise<void> {
  try {
    settings.value = { ...defaults, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>) }
  } catch {
    // Not readable: as delivered.
  }
  await useLanguage(settings.peek().language || document.documentElement.lang || 'en')
  let first = true
  effect(() => {
    const now = settings.value
    const root = document.documentElement
    root.dataset.theme = now.theme
    root.dataset.contrast = now.contrast
    root.dataset.density = now.density
    if (first) {
      first = false
      return
    }
    localStorage.setItem(KEY, JSON.stringify(now))
    const choices = writeChoices({ conversations: now.conversations, language: now.language || undefined })
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere yet; this cookie is for the server's first answer
    document.cookie = `${choicesCookie}=${choices}; path=/; max-age=31536000; samesite=strict${location.protocol === 'https:' ? '; secure' : ''}`
    if (now.language !== '' && now.language !== language.peek()) void useLanguage(now.language)
  })
}
/** Pixels of a row: two and three lines beside a reading pane, one line over the whole width. */
export const rowHeights = { compact: 36, normal: 60, roomy: 80 } as const
export const wideRowHeights = { compact: 32, normal: 40, roomy: 52 } as const

/** The user's choices: kept on the server, the same on every device; what this browser saw last is shown until the server has spoken. */
import { effect, signal } from '@preact/signals'
import { choicesCookie, writeChoices } from '../../start.ts'
import { language, useLanguage, useZone } from '../text/text.ts'

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
  /** Senders whose pictures are shown without asking. */
  readonly picturesFrom: readonly string[]
  /** IANA zone of the user; empty: the browser's. */
  readonly zone: string
  readonly focused: boolean
  readonly swipeRight: SwipeAct
  readonly swipeLeft: SwipeAct
  readonly afterAct: 'next' | 'list'
  /** Days of mail kept on this device. */
  readonly offlineDays: 0 | 7 | 30 | 90
}
export type SwipeAct = 'archive' | 'trash' | 'read' | 'flag' | 'move' | 'snooze' | 'none'

export const defaults: Settings = {
  theme: 'system',
  contrast: 'normal',
  density: 'normal',
  pane: 'right',
  conversations: true,
  keys: 'outlook',
  language: '',
  pictures: 'ask',
  picturesFrom: [],
  zone: '',
  focused: false,
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
  const shared = Object.entries(changes).filter(([name]) => !ofThisDevice.has(name))
  unsent = { ...unsent, ...Object.fromEntries(shared) }
  keepUnsent()
  void sendSettings()
}

/** What is chosen for one device and not for the user. */
const ofThisDevice: ReadonlySet<string> = new Set<keyof Settings>(['offlineDays'])

/** Changes the server has not heard of. They outlive the page. */
let unsent: Partial<Settings> = {}
let save: ((changes: Partial<Settings>) => Promise<void>) | undefined
let sending = false
const UNSENT = 'postrider.settings.unsent'
const keepUnsent = (): void => localStorage.setItem(UNSENT, JSON.stringify(unsent))

/** Sends what waits; also called when the network is back. */
export async function sendSettings(): Promise<void> {
  if (save === undefined || sending || Object.keys(unsent).length === 0) return
  sending = true
  const changes = unsent
  try {
    await save(changes)
    unsent = Object.fromEntries(
      Object.entries(unsent).filter(([name, value]) => changes[name as keyof Settings] !== value),
    )
    keepUnsent()
  } catch {
    // Kept, and sent with the next change or when the network is back.
    return
  } finally {
    sending = false
  }
  await sendSettings()
}
/** From now on choices go to the server. */
export function keepSettingsWith(how: (changes: Partial<Settings>) => Promise<void>): void {
  save = how
  void sendSettings()
}
/** What the server says; what it has not heard yet stays as chosen here. */
export function takeSettings(given: Readonly<Record<string, unknown>>): void {
  const known = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(defaults, name)))
  const next = { ...settings.peek(), ...known, ...unsent } as Settings
  if (JSON.stringify(next) !== JSON.stringify(settings.peek())) settings.value = next
}

/** Reads what was chosen, and follows. */
export async function useSettings(given: Readonly<Record<string, unknown>> | undefined): Promise<void> {
  try {
    settings.value = { ...defaults, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Settings>) }
    unsent = JSON.parse(localStorage.getItem(UNSENT) ?? '{}') as Partial<Settings>
  } catch {
    // Not readable: as delivered.
  }
  if (given !== undefined) takeSettings(given)
  await useLanguage(settings.peek().language || document.documentElement.lang || 'en')
  let first = true
  effect(() => {
    const now = settings.value
    const root = document.documentElement
    root.dataset.theme = now.theme
    root.dataset.contrast = now.contrast
    root.dataset.density = now.density
    useZone(now.zone)
    if (first) {
      first = false
      return
    }
    localStorage.setItem(KEY, JSON.stringify(now))
    const choices = writeChoices({
      conversations: now.conversations,
      language: now.language || undefined,
      focused: now.focused,
    })
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere yet; this cookie is for the server's first answer
    document.cookie = `${choicesCookie}=${choices}; path=/; max-age=31536000; samesite=strict${location.protocol === 'https:' ? '; secure' : ''}`
    if (now.language !== '' && now.language !== language.peek()) void useLanguage(now.language)
  })
}
/** Pixels of a row: two and three lines beside a reading pane, one line over the whole width. */
export const rowHeights = { compact: 36, normal: 60, roomy: 80 } as const
export const wideRowHeights = { compact: 32, normal: 40, roomy: 52 } as const

/**
 * What a user chose for the web: one record a mailbox, so that every device and the Light version look and work alike. Clients change single
 * values; what is not known here, or makes no sense, is as delivered.
 */
export const PREFERENCES_STATE = { client: 'web', key: 'settings' } as const

const swipeActs = ['archive', 'trash', 'read', 'flag', 'move', 'snooze', 'none'] as const
const MAX_TRUSTED = 500
const MAX_TEXT = 320

/** Each preference: the values it may have, the first is the usual one; or a text; or texts. */
export const preferenceTable = {
  theme: ['system', 'light', 'dark'],
  contrast: ['normal', 'more'],
  density: ['normal', 'compact', 'roomy'],
  pane: ['right', 'bottom', 'off'],
  conversations: [true, false],
  keys: ['outlook', 'gmail', 'off'],
  language: ['', 'en', 'fr'],
  /** IANA zone; empty: the browser's. */
  zone: 'text',
  pictures: ['ask', 'always'],
  /** Senders whose pictures from elsewhere are shown without asking. */
  picturesFrom: 'texts',
  undoSeconds: [10, 0, 5, 20, 30],
  swipeRight: ['archive', ...swipeActs],
  swipeLeft: ['trash', ...swipeActs],
  afterAct: ['next', 'list'],
  focused: [false, true],
} as const satisfies Readonly<Record<string, 'text' | 'texts' | readonly (string | number | boolean)[]>>

type Table = typeof preferenceTable
export type PreferenceName = keyof Table
export type Preferences = {
  readonly [N in PreferenceName]: Table[N] extends 'text'
    ? string
    : Table[N] extends 'texts'
      ? readonly string[]
      : Table[N] extends readonly (infer V)[]
        ? V
        : never
}
type Value = string | number | boolean | readonly string[]

const names = Object.keys(preferenceTable) as PreferenceName[]

/** The value as it may be kept; undefined for one that makes no sense. */
export function preferenceValue(name: PreferenceName, value: unknown): Value | undefined {
  const kind: 'text' | 'texts' | readonly unknown[] = preferenceTable[name]
  const text = (one: unknown): one is string => typeof one === 'string' && one.length <= MAX_TEXT
  if (kind === 'text') return text(value) && (name !== 'zone' || value === '' || isZone(value)) ? value : undefined
  if (kind === 'texts')
    return Array.isArray(value) && value.length <= MAX_TRUSTED && value.every(text)
      ? [...new Set(value as string[])]
      : undefined
  return kind.find((one) => one === value) as Value | undefined
}

/** Whether a time zone is one. */
export function isZone(zone: string): boolean {
  if (zone === '' || zone.length > 60) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const usual = (name: PreferenceName): Value => {
  const kind: 'text' | 'texts' | readonly Value[] = preferenceTable[name]
  return kind === 'text' ? '' : kind === 'texts' ? [] : (kind[0] as Value)
}

/** The record; what was lost is as delivered. */
export function decodePreferences(bytes: Uint8Array | undefined): Preferences {
  let raw: Readonly<Record<string, unknown>> = {}
  try {
    const json: unknown = bytes === undefined ? {} : JSON.parse(new TextDecoder().decode(bytes))
    if (typeof json === 'object' && json !== null) raw = json as Readonly<Record<string, unknown>>
  } catch {
    raw = {}
  }
  return Object.fromEntries(
    names.map((name) => [
      name,
      (Object.hasOwn(raw, name) ? preferenceValue(name, raw[name]) : undefined) ?? usual(name),
    ]),
  ) as unknown as Preferences
}

export const encodePreferences = (preferences: Preferences): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(preferences))

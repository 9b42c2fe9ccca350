import { type PreferenceName, preferenceTable, preferenceValue } from '@postrider/domain'
import { html, type Html, raw } from '../html.ts'
import { csrfField } from './page.ts'
import { refusal } from './lists.ts'
import type { LightTextKey } from './texts.ts'
import type { Visit } from './visit.ts'

/** Appearance and mail: what the user chose, the same record the full client reads. */

type Chosen = readonly [name: PreferenceName, label: LightTextKey, values: Readonly<Record<string, LightTextKey>>]
const look: readonly Chosen[] = [
  ['theme', 'theme', { system: 'themeSystem', light: 'themeLight', dark: 'themeDark' }],
  ['contrast', 'contrast', { normal: 'contrastNormal', more: 'contrastMore' }],
  ['density', 'density', { compact: 'compact', normal: 'normal', roomy: 'roomy' }],
]
const onOff = { true: 'yes', false: 'no' } as const
const handling: readonly Chosen[] = [
  ['conversations', 'conversations', onOff],
  ['focused', 'focusedInbox', onOff],
  ['undoSeconds', 'undoSend', { 0: 'no', 5: 'seconds', 10: 'seconds', 20: 'seconds', 30: 'seconds' }],
  ['pictures', 'remotePictures', { ask: 'picturesAsk', always: 'picturesAlways' }],
]

async function page(visit: Visit, title: LightTextKey, fields: readonly Chosen[], more?: Html): Promise<void> {
  const { say, session, preferences, url } = visit
  const field = ([name, label, values]: Chosen): Html =>
    html`<div class="field"><label for="${name}">${say(label)}</label><select id="${name}" name="${name}">${Object.entries(values).map(([value, text]) => html`<option value="${value}"${String(preferences[name]) === value && raw(' selected')}>${say(text, { n: value })}</option>`)}</select></div>`
  const body = html`<form method="post" action="${url.pathname}">${csrfField(session)}${fields.map(field)}${more}<button class="go">${say('save')}</button></form>`
  await visit.page(say(title), body)
}

const MAX_TRUSTED = 500

export const appearancePage = (visit: Visit): Promise<void> => page(visit, 'appearance', look)
export const handlingPage = (visit: Visit): Promise<void> => {
  const { say, preferences } = visit
  return page(
    visit,
    'handling',
    handling,
    html`<p class="hint">${say('focusedHint')}</p><div class="field"><label for="picturesFrom">${say('picturesFrom')}</label><textarea id="picturesFrom" name="picturesFrom" rows="5" spellcheck="false" aria-describedby="from-hint">
${preferences.picturesFrom.join('\n')}</textarea><p class="hint" id="from-hint">${say('onePerLine')}</p></div>`,
  )
}

/** Keeps what the form says of the preferences it shows. */
async function save(visit: Visit, shown: readonly Chosen[]): Promise<void> {
  const { fields, say } = visit
  const patch: Record<string, unknown> = {}
  for (const [name] of shown) {
    const text = fields.get(name) ?? ''
    const kinds: readonly unknown[] = preferenceTable[name] as readonly unknown[]
    const value = preferenceValue(
      name,
      kinds.find((one) => String(one) === text),
    )
    if (value !== undefined) patch[name] = value
  }
  if (fields.has('picturesFrom'))
    patch.picturesFrom = (fields.get('picturesFrom') ?? '')
      .split(/[\s,;]+/)
      .filter((one) => one !== '')
      .slice(0, MAX_TRUSTED)
  const why = refusal(await visit.ask('Preferences/set', { update: { singleton: patch } }))
  visit.done('/light/options', { text: why === undefined ? say('saved') : say('failed', { why }) })
}
export const saveAppearance = (visit: Visit): Promise<void> => save(visit, look)
export const saveHandling = (visit: Visit): Promise<void> => save(visit, handling)

/** Preferences: what the user chose for the web, the same on every device. */
import {
  decodePreferences,
  encodePreferences,
  type PreferenceName,
  type Preferences,
  PREFERENCES_STATE,
  preferenceTable,
  preferenceValue,
} from '@postrider/domain'
import { invalidProperties } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import { singletonMethods } from '../core/singleton.ts'
import { switchFocus } from './focus.ts'

const names = Object.keys(preferenceTable) as PreferenceName[]

export const [preferencesGet, preferencesSet] = singletonMethods<Preferences>({
  name: 'Preferences',
  capability: 'postrider',
  properties: names,
  async read({ handle }) {
    const entries = await handle.state(PREFERENCES_STATE.client, PREFERENCES_STATE.key)
    return decodePreferences(entries.find(({ key }) => key === PREFERENCES_STATE.key)?.value)
  },
  shown: (value) => ({ ...value }) as Readonly<Record<string, Json>>,
  taken(patched) {
    const wrong = Object.keys(patched).filter(
      (name) =>
        !Object.hasOwn(preferenceTable, name) || preferenceValue(name as PreferenceName, patched[name]) === undefined,
    )
    if (wrong.length > 0) throw invalidProperties(wrong)
    // What is left out is as delivered.
    return decodePreferences(new TextEncoder().encode(JSON.stringify(patched)))
  },
  async write(account, value, call) {
    await account.handle.apply([{ op: 'putState', ...PREFERENCES_STATE, value: encodePreferences(value) }])
    await switchFocus(call.jmap, account, value.focused)
  },
})

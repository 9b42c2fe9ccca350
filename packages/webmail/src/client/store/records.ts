/** Small things of the server that every view may show: the settings and the categories. Read at the start, and when the server says they changed. */
import { JmapError, type JmapClient } from '../jmap/client.ts'
import { keepSettingsWith, type Settings, takeSettings } from './settings.ts'
import type { Store } from './store.ts'

/** `now`: they did not come with the page. */
export function followRecords(client: JmapClient, store: Store, now: boolean): void {
  const readPreferences = (): void => {
    client.call('Preferences/get', { ids: null }).then(
      ({ list }) => takeSettings(list[0] ?? {}),
      () => {},
    )
  }
  const readCategories = (): void => {
    client.call('Category/get', { ids: null }).then(
      ({ list }) => {
        store.categories.value = list
      },
      () => {},
    )
  }
  if (now) {
    readPreferences()
    readCategories()
  }
  store.onRecords = (types) => {
    if (types.includes('Preferences')) readPreferences()
    if (types.includes('Category')) readCategories()
  }
  keepSettingsWith(async (changes: Partial<Settings>) => {
    const { notUpdated } = await client.call('Preferences/set', { update: { singleton: { ...changes } } })
    const problem = notUpdated?.singleton
    // A value this server does not know stays a choice of this browser.
    if (problem !== undefined && problem.type !== 'invalidProperties') throw new JmapError(problem.type)
  })
}

import type { Phrase } from '@postrider/domain'
import type { Loaded } from './load.ts'
import { type SettingName, settingNames, settings } from './settings.ts'

/** What a reload changes, in words; settings that need a restart are named. */
export function changes(before: Loaded, after: Loaded): Phrase[] {
  const differs = (name: SettingName): boolean =>
    JSON.stringify(before.config[name]) !== JSON.stringify(after.config[name])
  return settingNames.filter(differs).map((name) => {
    const live = 'live' in settings[name] && settings[name].live === true
    return live
      ? { en: `${name} is in effect.`, fr: `${name} est en vigueur.` }
      : {
          en: `${name} has changed: it takes effect at the next start.`,
          fr: `${name} a changé : prend effet au prochain démarrage.`,
        }
  })
}

import { clients } from './table/clients.ts'
import { listeners } from './table/listeners.ts'
import { operation } from './table/operation.ts'
import { server } from './table/server.ts'
import type { Setting } from './table/setting.ts'

export { type ListenerName, listenerNames, listenerPorts } from './table/listeners.ts'
export type { Setting } from './table/setting.ts'

/** Every setting there is. The file nests by the dots: `{ "log": { "level": "debug" } }`. */
export const settings = { ...server, ...listeners, ...clients, ...operation } as const

export type SettingName = keyof typeof settings
type Table = typeof settings
/** The effective values, by the names of the table. */
export type Config = { readonly [K in SettingName]: Table[K] extends Setting<infer T> ? T : never }
export const settingNames = Object.keys(settings) as SettingName[]

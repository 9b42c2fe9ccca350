import { defineMessages, type Language } from '@postrider/domain'
import { ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'
import { asDocument, type Loaded } from '../config/load.ts'
import { type Setting, type SettingName, settingNames, settings } from '../config/settings.ts'

interface Shown {
  readonly name: SettingName
  readonly value: unknown
  readonly source: string
  readonly default: unknown
  readonly type: string
  readonly meaning: string
  readonly exchange: string | undefined
  readonly takesEffect: 'reload' | 'restart'
}

/** Passwords and the like are not settings, but a token is. */
const secret: ReadonlySet<SettingName> = new Set(['metrics.token'])

function shown(loaded: Loaded, name: SettingName, language: 'en' | 'fr'): Shown {
  const setting: Setting<unknown> = settings[name]
  const value = loaded.config[name]
  return {
    name,
    value: secret.has(name) && value !== '' ? '(set)' : setting.kind.show(value),
    source: loaded.sources.get(name) ?? 'default',
    default: setting.kind.show(setting.default),
    type: typeIn(language, setting.kind.type),
    meaning: setting[language],
    exchange: setting.exchange,
    takesEffect: setting.live === true ? 'reload' : 'restart',
  }
}

/** The few phrases types are made of; values in quotes stay. */
const french: readonly (readonly [RegExp, string])[] = [
  [/\btext\b/, 'texte'],
  [/\btrue or false\b/, 'true ou false'],
  [/\bwhole number\b/, 'nombre entier'],
  [/^list: /, 'liste : '],
  [/^time /, 'durée '],
  [/^size /, 'taille '],
  [/\ban IP address or network\b/, 'une adresse IP ou un réseau'],
  [/\ban IP address\b/, 'une adresse IP'],
  [/\ba host name\b/, 'un nom d’hôte'],
  [/\ban e-mail address\b/, 'une adresse électronique'],
  [/\ban https:\/\/ address without a path\b/, 'une adresse https:// sans chemin'],
  [/\ban https:\/\/ address\b/, 'une adresse https://'],
  [/\ba file name\b/, 'un nom de fichier'],
  [/\bhost or host:port\b/, 'hôte ou hôte:port'],
  [/ or /, ' ou '],
]
function typeIn(language: Language, type: string): string {
  return language === 'en' ? type : french.reduce((text, [from, to]) => text.replace(from, to), type)
}

export const config: LocalCommand = {
  name: 'config',
  summary: 'Shows the effective configuration and checks the file.',
  arguments: ['setting?'],
  options: {
    describe: { help: 'Explains every setting: type, default, meaning.' },
    language: { value: 'en|fr', help: 'Language of the explanations.' },
    'only-changed': { help: 'Leaves out what is at its default.' },
  },
  notes: ['Without options the output is itself a valid configuration file.'],
  where: 'here',
  async run(words, { loaded: load, terminal, json }) {
    const loaded = load()
    const language = words.value('language') === 'fr' ? 'fr' : 'en'
    const wanted = words.at(0)
    let names: readonly SettingName[] = settingNames.filter(
      (name) => wanted === undefined || name === wanted || name.startsWith(`${wanted}.`),
    )
    if (names.length === 0)
      throw new UsageError(`There is no setting ${wanted}. \`postrider config --describe\` explains all.`)
    if (words.flag('only-changed')) names = names.filter((name) => loaded.sources.get(name) !== 'default')
    const rows = names.map((name) => shown(loaded, name, language))
    if (json) {
      const { file, found, dataFolder } = loaded
      terminal.out(JSON.stringify({ file, found, dataFolder, settings: rows }, null, 2))
    } else if (words.flag('describe') || wanted !== undefined)
      terminal.out(rows.map((row) => described(row, language)).join('\n\n'))
    else {
      terminal.out(`// Data folder: ${loaded.dataFolder}`)
      terminal.out(`// Configuration file: ${loaded.file}${loaded.found ? '' : ' (not there: all defaults)'}`)
      const chosen = new Set<string>(names)
      const document = prune(
        asDocument(loaded.config),
        '',
        (name) => chosen.has(name),
        (name) => secret.has(name as SettingName),
      )
      terminal.out(JSON.stringify(document, null, 2))
    }
    for (const warning of loaded.warnings) terminal.error(`Warning: ${warning}`)
    return ExitCode.ok
  },
}

const say = defineMessages({
  isDefault: { en: 'default', fr: 'par défaut' },
  origin: { en: '{source}, default {value}', fr: '{source}, par défaut {value}' },
  file: { en: 'file', fr: 'fichier' },
  environment: { en: 'environment', fr: 'environnement' },
  type: { en: 'Type: {type}.', fr: 'Type : {type}.' },
  reload: { en: 'Takes effect at reload.', fr: 'Prend effet au rechargement.' },
  restart: { en: 'Takes effect at restart.', fr: 'Prend effet au redémarrage.' },
  exchange: { en: 'Exchange: {name}.', fr: 'Exchange : {name}.' },
})

function described(row: Shown, language: Language): string {
  const source = row.source === 'file' || row.source === 'environment' ? say(language, row.source) : row.source
  const origin =
    row.source === 'default'
      ? say(language, 'isDefault')
      : say(language, 'origin', { source, value: JSON.stringify(row.default) })
  const type = say(language, 'type', { type: row.type })
  const exchange = row.exchange === undefined ? '' : ` ${say(language, 'exchange', { name: row.exchange })}`
  return [
    `${row.name} = ${JSON.stringify(row.value)} (${origin})`,
    `  ${row.meaning}`,
    `  ${type} ${say(language, row.takesEffect)}${exchange}`,
  ].join('\n')
}

function prune(
  document: Record<string, unknown>,
  prefix: string,
  keep: (name: string) => boolean,
  hide: (name: string) => boolean,
): Record<string, unknown> {
  const kept: [string, unknown][] = []
  for (const [key, value] of Object.entries(document)) {
    const name = `${prefix}${key}`
    if (keep(name)) kept.push([key, hide(name) && value !== '' ? '(set)' : value])
    else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const inner = prune(value as Record<string, unknown>, `${name}.`, keep, hide)
      if (Object.keys(inner).length > 0) kept.push([key, inner])
    }
  }
  return Object.fromEntries(kept)
}

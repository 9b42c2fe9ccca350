import { type Language, type Phrase, type Say, speaker } from '@postrider/domain'
import { ExitCode, type LocalCommand, UsageError } from '../cli/command.ts'
import { warningWord } from '../cli/phrases.ts'
import { asDocument, type Loaded, type Source } from '../config/load.ts'
import { type Setting, type SettingName, settingNames, settings } from '../config/settings.ts'

interface Shown {
  readonly name: SettingName
  readonly value: unknown
  readonly source: Source
  readonly default: unknown
  readonly type: string
  readonly meaning: string
  readonly exchange: string | undefined
  readonly takesEffect: 'reload' | 'restart'
}

/** Passwords and the like are not settings, but a token is. */
const secret: ReadonlySet<SettingName> = new Set(['metrics.token'])

function shown(loaded: Loaded, name: SettingName, language: Language): Shown {
  const setting: Setting<unknown> = settings[name]
  const value = loaded.config[name]
  return {
    name,
    value: secret.has(name) && value !== '' ? '(set)' : setting.kind.show(value),
    source: loaded.sources.get(name) ?? 'default',
    default: setting.kind.show(setting.default),
    type: setting.kind.type[language],
    meaning: setting[language],
    exchange: setting.exchange,
    takesEffect: setting.live === true ? 'reload' : 'restart',
  }
}

export const config: LocalCommand = {
  name: 'config',
  summary: {
    en: 'Shows the effective configuration and checks the file.',
    fr: 'Montre la configuration en vigueur et vérifie le fichier.',
  },
  arguments: ['setting?'],
  options: {
    describe: {
      help: {
        en: 'Explains every setting: type, default, meaning.',
        fr: 'Explique chaque réglage : type, valeur par défaut, sens.',
      },
    },
    language: { value: 'en|fr', help: { en: 'Language of the explanations.', fr: 'Langue des explications.' } },
    'only-changed': { help: { en: 'Leaves out what is at its default.', fr: 'Omet ce qui a sa valeur par défaut.' } },
  },
  notes: [
    {
      en: 'Without options the output is itself a valid configuration file.',
      fr: 'Sans option, ce qui s’affiche est lui-même un fichier de configuration valable.',
    },
  ],
  where: 'here',
  async run(words, { loaded: load, terminal, json, say: own }) {
    const loaded = load()
    const asked = words.value('language')
    const say = asked === undefined ? own : speaker(asked === 'fr' ? 'fr' : 'en')
    const wanted = words.at(0)
    let names: readonly SettingName[] = settingNames.filter(
      (name) => wanted === undefined || name === wanted || name.startsWith(`${wanted}.`),
    )
    if (names.length === 0)
      throw new UsageError({
        en: `There is no setting ${wanted}. \`postrider config --describe\` explains all.`,
        fr: `Il n’y a pas de réglage ${wanted}. \`postrider config --describe\` les explique tous.`,
      })
    if (words.flag('only-changed')) names = names.filter((name) => loaded.sources.get(name) !== 'default')
    const rows = names.map((name) => shown(loaded, name, say.language))
    if (json) {
      const { file, found, dataFolder } = loaded
      terminal.out(JSON.stringify({ file, found, dataFolder, settings: rows }, null, 2))
    } else if (words.flag('describe') || wanted !== undefined)
      terminal.out(rows.map((row) => described(row, say)).join('\n\n'))
    else {
      const missing = loaded.found
        ? ''
        : say({ en: ' (not there: all defaults)', fr: ' (absent : valeurs par défaut)' })
      terminal.out(`// ${say({ en: 'Data folder:', fr: 'Dossier de données :' })} ${loaded.dataFolder}`)
      terminal.out(
        `// ${say({ en: 'Configuration file:', fr: 'Fichier de configuration :' })} ${loaded.file}${missing}`,
      )
      const chosen = new Set<string>(names)
      const document = prune(
        asDocument(loaded.config),
        '',
        (name) => chosen.has(name),
        (name) => secret.has(name as SettingName),
      )
      terminal.out(JSON.stringify(document, null, 2))
    }
    for (const warning of loaded.warnings) terminal.error(`${say(warningWord)} ${say(warning)}`)
    return ExitCode.ok
  },
}

const sources: Readonly<Record<Source, Phrase>> = {
  default: { en: 'default', fr: 'par défaut' },
  file: { en: 'file', fr: 'fichier' },
  environment: { en: 'environment', fr: 'environnement' },
}
const effect = {
  reload: { en: 'Takes effect at reload.', fr: 'Prend effet au rechargement.' },
  restart: { en: 'Takes effect at restart.', fr: 'Prend effet au redémarrage.' },
} as const satisfies Readonly<Record<string, Phrase>>

function described(row: Shown, say: Say): string {
  const standard = `${say(sources.default)} ${JSON.stringify(row.default)}`
  const origin = row.source === 'default' ? say(sources.default) : `${say(sources[row.source])}, ${standard}`
  const also = row.exchange === undefined ? '' : ` Exchange${say({ en: ':', fr: ' :' })} ${row.exchange}.`
  const lines = [
    `${row.name} = ${JSON.stringify(row.value)} (${origin})`,
    `  ${row.meaning}`,
    `  ${say({ en: 'Type:', fr: 'Type :' })} ${row.type}. ${say(effect[row.takesEffect])}${also}`,
  ]
  return lines.join('\n')
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

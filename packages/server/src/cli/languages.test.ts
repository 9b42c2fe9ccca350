import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Phrase } from '@postrider/domain'
import { commands } from '../commands/index.ts'
import { callerLanguage } from './language.ts'
import { runCli } from './run.ts'

type Answer = { readonly code: number; readonly out: string; readonly error: string }

function consoleIn(t: TestContext): (env: Record<string, string>, ...argv: string[]) => Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'languages-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'postrider.json'), '{ "domain": "example.com" }')
  return async (env, ...argv) => {
    const out: string[] = []
    const error: string[] = []
    const code = await runCli(
      commands,
      argv,
      {
        out: (text) => void out.push(text),
        error: (text) => void error.push(text),
        input: async () => '',
        askSecret: async () => undefined,
      },
      { POSTRIDER_DATA: folder, ...env },
    )
    return { code, out: out.join('\n'), error: error.join('\n') }
  }
}
const french = { POSTRIDER_LANGUAGE: 'fr' }
const english = { POSTRIDER_LANGUAGE: 'en' }

/** Options and commands are the same in every language. */
const optionsIn = (help: string): string[] => help.match(/^ {2}--[a-z-]+/gm) ?? []
/** Words of English that no French text has; command lines do not count. */
const englishWords = /\b(the|of|and|is|are|with|without|from|its|it|this|to|what)\b/i
const prose = (text: string): string =>
  text.replace(/`[^`]*`|\bpostrider [a-z -]+(?:<[^>]*>)?|--[a-z-]+|[a-z]+-[a-z]+-…/g, '')

test('the help of every command is there in both languages, with the same options', async (t) => {
  const run = consoleIn(t)
  for (const { name } of commands) {
    const [en, fr] = [await run(english, ...name.split(' '), '--help'), await run(french, ...name.split(' '), '--help')]
    assert.deepEqual([en.code, fr.code], [0, 0])
    assert.match(fr.out, new RegExp(`^Usage : postrider ${name}\\b`, 'm'), name)
    assert.deepEqual(optionsIn(fr.out), optionsIn(en.out), name)
    const [first, last] = [fr.out.indexOf('\n'), en.out.indexOf('\n')]
    assert.notEqual(fr.out.slice(0, first), en.out.slice(0, last), name)
  }
  const [en, fr] = [await run(english, '--help'), await run(french, '--help')]
  for (const { name } of commands) for (const { out } of [en, fr]) assert.ok(out.includes(`  ${name} `), name)
  assert.deepEqual(fr.out.match(/POSTRIDER_\w+/g)?.toSorted(), en.out.match(/POSTRIDER_\w+/g)?.toSorted())
  assert.match(fr.out, /Codes de sortie : 0 fait, 1 échec/)
})

test('no text of a command is left in English, and French ones have a space before ; : ! ?', () => {
  for (const { name, summary, options, notes = [] } of commands) {
    const phrases: Phrase[] = [summary, ...Object.values(options).map(({ help }) => help), ...notes]
    for (const { en, fr } of phrases) {
      // Examples to copy, and empty lines.
      if (fr === '' || fr.startsWith('  ')) continue
      assert.notEqual(fr, en, name)
      assert.doesNotMatch(prose(fr), englishWords, `${name}: ${fr}`)
      assert.doesNotMatch(prose(fr), /[^\s"][;!?:](?=\s|$)/, `${name}: ${fr}`)
    }
  }
})

test('the language: POSTRIDER_LANGUAGE, then LC_ALL, LC_MESSAGES and LANG; empty ones are none', () => {
  assert.equal(callerLanguage({}), 'en')
  assert.equal(callerLanguage({ LANG: 'fr_FR.UTF-8' }), 'fr')
  assert.equal(callerLanguage({ LANG: 'fr_CA', LC_ALL: 'C' }), 'en')
  assert.equal(callerLanguage({ LANG: 'en_GB.UTF-8', LC_MESSAGES: 'fr@euro', LC_ALL: '' }), 'fr')
  assert.equal(callerLanguage({ POSTRIDER_LANGUAGE: 'en', LANG: 'fr_FR' }), 'en')
  assert.equal(callerLanguage({ POSTRIDER_LANGUAGE: 'FR' }), 'fr')
  assert.equal(callerLanguage({ LANG: 'frr_DE' }), 'en', 'North Frisian')
})

test('errors and results come in the language of the caller, exit codes are the same', async (t) => {
  const run = consoleIn(t)
  const cases: [RegExp, ...string[]][] = [
    [/il n’y a pas de commande « frobnicate »/, 'frobnicate'],
    [/Il manque l’argument « adresse »\. Voir : postrider user add --help/, 'user', 'add'],
    [/Option inconnue : --loud\./, 'user', 'list', '--loud'],
    [/Il manque la valeur de l’option --quota/, 'user', 'set', 'a@example.com', '--quota'],
    [/L’option --json ne prend pas de valeur/, 'user', 'list', '--json=yes'],
    [/« b » est de trop/, 'user', 'show', 'a', 'b'],
    [/Il n’y a pas de boîte nobody@example\.com/, 'user', 'show', 'nobody@example.com'],
    [/Aucun postrider ne tourne .* Pour le démarrer : postrider start/, 'status'],
    [/Ajoutez --yes/, 'user', 'remove', 'user@example.com'],
    [/Personne ici n’a l’adresse x@example\.com/, 'group', 'add', 'g@example.com', 'x@example.com'],
    [/\/nowhere n’existe pas\./, 'import', 'user@example.com', '/nowhere'],
    [/ne contient pas de boîtes en fichiers/, 'backup', '/tmp/none'],
    [/--format doit être l’un de maildir, mbox, eml/, 'export', 'user@example.com', '/tmp/none', '--format', 'zip'],
    [/« no domain » n’est pas un nom de domaine/, 'domain', 'add', 'no domain'],
  ]
  for (const [expected, ...argv] of cases) {
    const [fr, en] = [await run(french, ...argv), await run(english, ...argv)]
    assert.match(fr.error, expected)
    assert.doesNotMatch(en.error, expected)
    assert.notEqual(fr.code, 0)
    assert.equal(fr.code, en.code, argv.join(' '))
  }
  assert.match((await run(french, 'user', 'list')).out, /^ADRESSE +NOM +TYPE\n.* administrateur/)
  assert.match((await run(french, 'store', 'check')).out, /^Éléments : 0 ; boîtes : 2 ; .*Tout va bien\.$/)
  const doctor = await run(french, 'doctor', '--no-dns')
  assert.match(doctor.out, /ATTENTION +serveur +n’est pas en marche/)
  assert.match(doctor.out, /Enregistrements DNS à créer :/)
  assert.doesNotMatch(doctor.out.replace(/^.*(?:configuration|POSTRIDER).*$/gm, ''), / (?:the|of|and|is) /)
  assert.match(
    (await run(french, 'config', 'log.level')).out,
    /\(par défaut\)[\s\S]*Type : .* Prend effet au rechargement\./,
  )
})

test('--json is the same whatever the caller speaks, errors too', async (t) => {
  const run = consoleIn(t)
  await run(english, 'user', 'list')
  for (const argv of [
    ['user', 'list'],
    ['user', 'show', 'user@example.com'],
    ['domain', 'list'],
    ['config'],
    ['doctor', '--no-dns'],
    ['store', 'check'],
    ['status'],
    ['user', 'show', 'nobody@example.com'],
    ['import', 'user@example.com', '/nowhere'],
  ]) {
    const [fr, en] = [await run(french, ...argv, '--json'), await run(english, ...argv, '--json')]
    const timeless = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|[\d.]+ GB|[\d.]+ Go/g, '…')
    assert.doesNotThrow(() => JSON.parse(fr.out), argv.join(' '))
    assert.equal(timeless(fr.out), timeless(en.out), argv.join(' '))
    assert.equal(fr.code, en.code)
  }
})

test('what is wrong in the configuration is told in French too', async (t) => {
  const run = consoleIn(t)
  const path = join((await run(french, 'config')).out.match(/Dossier de données : (.*)/)?.[1] ?? '', 'postrider.json')
  const told = async (text: string): Promise<string> => {
    writeFileSync(path, text)
    return (await run(french, 'config')).error
  }
  assert.match(await told('{ "domian": "x" }'), /:1 : il n’y a pas de réglage "domian"\. Vouliez-vous dire "domain" \?/)
  assert.match(await told('{ "log": { "level": 1 } }'), /"log\.level" doit être l’un de "debug"/)
  assert.match(await told('{ "domain": '), /:1:13 : le texte s’arrête trop tôt/)
  assert.match(await told('{ "domain": "-" }'), /doit être un nom d’hôte, entre guillemets droits/)
})

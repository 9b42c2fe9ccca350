import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { type Setting, settingNames, settings } from './settings.ts'

const file = resolve(import.meta.dirname, '../../../../docs/admin-guide.md')

function table(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
  const rows = settingNames.map((name) => {
    const { kind, default: standard, en, exchange, live }: Setting<unknown> = settings[name]
    const shown = JSON.stringify(kind.show(standard))
    const also = exchange === undefined ? '' : ` Exchange: ${exchange}.`
    return `| \`${name}\` | ${cell(kind.type.en)} | \`${shown}\` | ${cell(en)}${also} | ${live === true ? 'reload' : 'restart'} |`
  })
  return ['| setting | type | default | meaning | takes effect |', '|---|---|---|---|---|', ...rows].join('\n')
}

test('the guide’s table of settings is the table of the program', () => {
  const text = readFileSync(file, 'utf8')
  const made = text.replace(
    /(<!-- settings:.*-->\n)[\s\S]*(<!-- \/settings -->)/,
    (_whole, begin: string, end: string) => `${begin}${table()}\n${end}`,
  )
  if (process.env.UPDATE === '1') writeFileSync(file, made)
  assert.equal(process.env.UPDATE === '1' ? made : text, made, 'run the test once with UPDATE=1')
})

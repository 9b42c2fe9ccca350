/** The colours of tokens.css: text 4.5:1, controls and marks 3:1, in every theme (WCAG 2.2 §1.4.3, §1.4.11). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')
type Theme = ReadonlyMap<string, number>

/** Relative luminance of `oklch(L C H)`: CSS Color 4 §9.3, §18. */
function luminance(l: number, c: number, h: number): number {
  const a = c * Math.cos((h * Math.PI) / 180)
  const b = c * Math.sin((h * Math.PI) / 180)
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3
  const clip = (value: number): number => Math.min(1, Math.max(0, value))
  const red = clip(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short)
  const green = clip(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short)
  const blue = clip(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function themes(block: string, under?: readonly [Theme, Theme]): readonly [Theme, Theme] {
  const light = new Map(under?.[0])
  const dark = new Map(under?.[1])
  const one = 'oklch\\(([\\d.]+) ([\\d.]+) ([\\d.]+)\\)'
  for (const match of block.matchAll(new RegExp(`--([\\w-]+): light-dark\\(${one}, ${one}\\)`, 'g'))) {
    const [l1 = 0, c1 = 0, h1 = 0, l2 = 0, c2 = 0, h2 = 0] = match.slice(2).map(Number)
    light.set(match[1] ?? '', luminance(l1, c1, h1))
    dark.set(match[1] ?? '', luminance(l2, c2, h2))
  }
  return [light, dark]
}
const block = (selector: string): string => {
  const at = css.indexOf(`${selector} {`)
  assert.ok(at >= 0, selector)
  return css.slice(at, css.indexOf('\n}', at))
}
const normal = themes(block(':root'))
const high = themes(block(':root[data-contrast="more"]'), normal)

const pairs: readonly (readonly [front: string, back: readonly string[], least: number])[] = [
  ['text', ['bg', 'surface', 'raised', 'hover', 'accent-soft', 'mark'], 4.5],
  ['text-2', ['bg', 'surface', 'raised', 'hover', 'accent-soft'], 4.5],
  ['text-3', ['bg', 'surface', 'raised', 'hover', 'accent-soft'], 4.5],
  ['accent-strong', ['bg', 'surface', 'raised', 'hover', 'accent-soft'], 4.5],
  ['on-accent', ['accent', 'accent-strong'], 4.5],
  ['danger', ['raised', 'hover', 'surface'], 4.5],
  ['on-warn', ['warn'], 4.5],
  ['accent', ['bg', 'surface', 'raised', 'accent-soft'], 3],
  ['flag', ['surface', 'hover', 'accent-soft'], 3],
  ['focus', ['bg', 'surface', 'raised', 'hover', 'accent-soft'], 3],
  ['line-2', ['surface', 'raised'], 3],
]

for (const [name, set] of [
  ['normal', normal],
  ['high contrast', high],
] as const)
  for (const [i, theme] of set.entries())
    test(`WCAG 1.4.3, 1.4.11: ${name}, ${i === 0 ? 'light' : 'dark'}`, () => {
      for (const [front, backs, least] of pairs)
        for (const back of backs) {
          const [a, b] = [theme.get(front), theme.get(back)]
          assert.ok(a !== undefined && b !== undefined, `${front} on ${back}`)
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
          assert.ok(
            ratio >=
              (name === 'normal'
                ? least
                : Math.max(least, 4.5) * (front.startsWith('text') ? 1.5 : 1) * (least === 3 ? 3 / 4.5 : 1)),
            `${front} on ${back}: ${ratio.toFixed(2)}`,
          )
        }
    })

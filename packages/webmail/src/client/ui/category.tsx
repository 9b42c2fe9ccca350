/** A category: its name beside a spot of its colour. The 25 colours are Outlook's, told apart by hue and depth. */
import type { JSX } from 'preact'
import { app } from '../app.ts'

/** Hue, lightness and chroma of Outlook's presets: [MS-OXOCFG] §2.2.5.2.1. */
const colours: readonly (readonly [hue: number, light: number, chroma: number])[] = [
  [25, 0.6, 0.19],
  [55, 0.68, 0.16],
  [65, 0.5, 0.08],
  [95, 0.82, 0.16],
  [145, 0.6, 0.16],
  [195, 0.62, 0.1],
  [120, 0.55, 0.1],
  [255, 0.56, 0.16],
  [300, 0.52, 0.18],
  [0, 0.5, 0.14],
  [240, 0.6, 0.04],
  [240, 0.42, 0.05],
  [0, 0.62, 0],
  [0, 0.42, 0],
  [0, 0.22, 0],
  [25, 0.42, 0.14],
  [50, 0.48, 0.12],
  [65, 0.36, 0.06],
  [90, 0.6, 0.12],
  [145, 0.4, 0.11],
  [195, 0.42, 0.08],
  [115, 0.38, 0.08],
  [260, 0.38, 0.14],
  [300, 0.36, 0.14],
  [350, 0.36, 0.12],
]
export const COLOURS = colours.length

export function Spot({ color }: { readonly color: number }): JSX.Element {
  const [hue, light, chroma] = colours[color] ?? [0, 0.75, 0]
  return <span class="spot" aria-hidden="true" style={{ background: `oklch(${light} ${chroma} ${hue})` }} />
}

export const colourOf = (name: string): number =>
  app.store.categories.value.find((one) => one.name === name)?.color ?? -1

export function Categories({
  names,
  short = false,
}: {
  readonly names: readonly string[]
  readonly short?: boolean
}): JSX.Element | null {
  if (names.length === 0) return null
  return (
    <span class={`categories ${short ? 'short' : ''}`}>
      {names.map((name) => (
        <span key={name} class="category" title={name}>
          <Spot color={colourOf(name)} />
          <span class={short ? 'visually-hidden' : ''} dir="auto">
            {name}
          </span>
        </span>
      ))}
    </span>
  )
}

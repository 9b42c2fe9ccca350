import { crc32, deflateSync } from 'node:zlib'
import { Chance } from './chance.ts'

/** Pictures that look like something, made from numbers: hills under a sky. PNG, RFC 2083. */

const WIDTH = 480
const HEIGHT = 270
type Colour = readonly [number, number, number]
interface Palette {
  readonly sky: readonly [Colour, Colour]
  readonly hills: readonly [Colour, Colour]
  readonly sun: Colour
}
const palettes: readonly Palette[] = [
  {
    sky: [
      [64, 116, 186],
      [236, 214, 190],
    ],
    hills: [
      [120, 146, 168],
      [30, 62, 70],
    ],
    sun: [255, 244, 214],
  },
  {
    sky: [
      [40, 32, 86],
      [242, 140, 92],
    ],
    hills: [
      [126, 78, 106],
      [32, 22, 46],
    ],
    sun: [255, 206, 128],
  },
  {
    sky: [
      [148, 202, 232],
      [240, 248, 250],
    ],
    hills: [
      [140, 190, 150],
      [36, 92, 64],
    ],
    sun: [255, 255, 240],
  },
  {
    sky: [
      [20, 30, 60],
      [96, 120, 160],
    ],
    hills: [
      [70, 90, 130],
      [14, 20, 40],
    ],
    sun: [240, 240, 255],
  },
]

const made = new Map<number, Uint8Array>()

/** Picture number `n` of the album; the same number, the same bytes. */
export function picture(n: number): Uint8Array {
  const known = made.get(n)
  if (known !== undefined) return known
  const png = encode(paint(Chance.of(n, 'picture'), palettes[n % palettes.length]!))
  made.set(n, png)
  return png
}
export const ALBUM = 16

function paint(chance: Chance, { sky, hills, sun }: Palette): Buffer {
  const sunX = WIDTH * (0.2 + chance.next() * 0.6)
  const sunY = HEIGHT * (0.18 + chance.next() * 0.25)
  const radius = 22 + chance.next() * 20
  const layers = Array.from({ length: 4 }, (_, at) => ({
    base: HEIGHT * (0.48 + at * 0.13),
    waves: Array.from(
      { length: 3 },
      () => [40 / (at + 2) + chance.next() * 18, 0.004 + chance.next() * 0.012, chance.next() * 7] as const,
    ),
  }))
  // Each row begins with its filter: 0, none.
  const out = Buffer.alloc(HEIGHT * (WIDTH * 3 + 1))
  for (let y = 0, at = 0; y < HEIGHT; y++) {
    out[at++] = 0
    for (let x = 0; x < WIDTH; x++) {
      let colour = mix(sky[0], sky[1], y / (HEIGHT * 0.75))
      const glow = Math.hypot(x - sunX, y - sunY) / radius
      if (glow < 3) colour = mix(sun, colour, glow < 1 ? 0 : (glow - 1) / 2)
      for (const [i, { base, waves }] of layers.entries()) {
        const top = waves.reduce(
          (sum, [height, pace, phase]) => sum - height * Math.sin(x * pace * (i + 1) + phase),
          base,
        )
        if (y >= top) colour = mix(hills[0], hills[1], i / (layers.length - 1))
      }
      for (const part of colour) out[at++] = part
    }
  }
  return out
}
const mix = (from: Colour, to: Colour, share: number): Colour => {
  const s = Math.max(0, Math.min(1, share))
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * s)) as unknown as Colour
}

function encode(rows: Buffer): Uint8Array {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(WIDTH, 0)
  head.writeUInt32BE(HEIGHT, 4)
  head.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const around = Buffer.alloc(8)
  around.writeUInt32BE(data.length, 0)
  around.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([around.subarray(0, 4), body, around.subarray(4)])
}

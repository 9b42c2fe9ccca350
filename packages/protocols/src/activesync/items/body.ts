/**
 * airsyncbase:Body, BodyPart and NativeBodyType: which form of the body a client gets and how much of it. [MS-ASAIRS] §2.2.2.9 to
 * §2.2.2.12, §2.2.2.41; [MS-ASCMD] MIMESupport §2.2.3.110. A MIME body is the original's bytes, untouched.
 */
import type { Item } from '@postrider/domain'
import { type Child, type Element, el, wireText } from '@postrider/wire/wbxml'
import { type BodyPreference, type ContentOptions, mimeTruncationSizes } from '../content.ts'
import type { EasVersion } from '../version.ts'
import { atLeast } from '../version.ts'
import type { Original } from './original.ts'
import { BodyText, BodyType, type TextType } from './text.ts'
import { truncateText, truncateUnits, utf8End } from './truncate.ts'

/** Bytes of text a client gets that named no BodyPreference: enough to read, little enough for a first Sync. */
export const DEFAULT_BODY_SIZE = 200 * 1024
const defaultPreference: BodyPreference = {
  type: BodyType.plain,
  truncationSize: DEFAULT_BODY_SIZE,
  allOrNone: false,
  preview: undefined,
}

/** One body, chosen and cut. `data` undefined: nothing of it goes (TruncationSize 0, AllOrNone). */
export interface ChosenBody {
  readonly type: number
  /** Bytes of the whole in this form. */
  readonly size: number
  readonly truncated: boolean
  readonly data: string | Uint8Array | undefined
  readonly preview: string | undefined
  /** Truncated is said even where it is 0: MS-ASCMD_R3387, R3409. */
  readonly sayTruncated?: boolean
}

/** A mail that is signed or encrypted as a whole. */
export const isSmime = (item: Item): boolean => /^IPM\.Note\.SMIME/i.test(item.promoted?.class ?? '')

export class Bodies {
  readonly #item: Item
  readonly #original: Original
  readonly text: BodyText

  constructor(item: Item, original: Original) {
    this.#item = item
    this.#original = original
    this.text = new BodyText(original, item.props)
  }

  /** The body for a client's preferences: MIME where it is allowed, the stored form before converted ones, in the client's order. */
  async choose(options: ContentOptions): Promise<ChosenBody> {
    const native = await this.text.native()
    const preferences = options.bodyPreferences.length === 0 ? [defaultPreference] : options.bodyPreferences
    const mime = preferences.find((one) => one.type === BodyType.mime)
    if (mime !== undefined && this.#original.exists && mimeAllowed(options, this.#item)) {
      return this.#mime(mime, options.mimeTruncation)
    }
    const candidates = order(preferences, native)
    for (const preference of candidates) {
      const chosen = await this.#as(preference, preference.type as TextType)
      if (chosen.data !== undefined || preference.truncationSize === 0) return chosen
    }
    // MS-ASAIRS_R80: nothing fits whole, so nothing goes, but its size does.
    return this.#as(candidates[0] as BodyPreference, (candidates[0] as BodyPreference).type as TextType)
  }

  async #as(preference: BodyPreference, type: TextType): Promise<ChosenBody> {
    const { truncationSize, allOrNone } = preference
    const { text: whole, size } = await this.text.head(type, truncationSize)
    const truncated = truncationSize !== undefined && size > truncationSize
    const none = truncated && (allOrNone || truncationSize === 0)
    const data = none ? undefined : truncated ? truncateText(whole, truncationSize) : whole
    return { type, size, truncated, data, preview: this.#preview(preference, type, data) }
  }

  async #mime(preference: BodyPreference, mimeTruncation: number | undefined): Promise<ChosenBody> {
    const size = this.#original.size
    const limit =
      preference.truncationSize ?? (mimeTruncation === undefined ? undefined : mimeTruncationSizes[mimeTruncation])
    const truncated = limit !== undefined && size > limit
    const none = truncated && (preference.allOrNone || limit === 0)
    const type = BodyType.mime
    if (none) return { type, size, truncated, data: undefined, preview: this.#preview(preference, type, undefined) }
    const bytes = await this.#original.range(0, truncated ? limit + 1 : size)
    const data = textOrBytes(truncated ? bytes.subarray(0, utf8End(bytes, limit)) : bytes)
    const sayTruncated = isSmime(this.#item)
    return { type, size, truncated, data, preview: this.#preview(preference, type, data), sayTruncated }
  }

  /** MS-ASAIRS_R1001036: beside plain text a preview says nothing new. */
  #preview(preference: BodyPreference, type: number, data: string | Uint8Array | undefined): string | undefined {
    if (preference.preview === undefined || (type === BodyType.plain && data !== undefined)) return undefined
    const preview = this.#item.promoted?.preview ?? ''
    return preview === '' ? undefined : truncateUnits(preview, preference.preview)
  }

  /** The message part for conversation views: HTML only. */
  async part(preference: BodyPreference): Promise<Element> {
    const chosen = await this.#as(preference, BodyType.html)
    const preview =
      preference.preview === undefined ? '' : truncateUnits(this.#item.promoted?.preview ?? '', preference.preview)
    return el(
      'AirSyncBase:BodyPart',
      el('AirSyncBase:Status', 1),
      el('AirSyncBase:Type', chosen.type),
      el('AirSyncBase:EstimatedDataSize', chosen.size),
      chosen.truncated && el('AirSyncBase:Truncated', 1),
      chosen.data !== undefined && el('AirSyncBase:Data', chosen.data),
      preview !== '' && el('AirSyncBase:Preview', preview),
    )
  }
}

/** 0 never, 1 for S/MIME only, 2 always: MS-ASCMD_R3355 to R3357. */
const mimeAllowed = (options: ContentOptions, item: Item): boolean =>
  options.mimeSupport === 2 || (options.mimeSupport === 1 && isSmime(item))

/**
 * The text preferences in the order they are tried: the stored form first (MS-ASAIRS_R77), then as the client wrote them. RTF is
 * not made; a client that wants only RTF, or MIME it may not have, gets the stored form cut to the same size.
 */
function order(preferences: readonly BodyPreference[], native: TextType): BodyPreference[] {
  const texts = preferences.filter((one) => one.type === BodyType.plain || one.type === BodyType.html)
  if (texts.length === 0) return [{ ...(preferences[0] as BodyPreference), type: native }]
  return [...texts.filter((one) => one.type === native), ...texts.filter((one) => one.type !== native)]
}

/**
 * MIME goes as a string where that keeps every byte; other bytes (eight-bit charsets, NUL) go as OPAQUE, so that nothing of
 * the original changes on the way.
 */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  return wireText(text) === text && Buffer.byteLength(text, 'utf8') === buffer.length && !text.includes('\ufffd')
    ? text
    : bytes
}

/** The Body element; `part` is the number of the multipart answer's part that holds the data instead. */
export function bodyElement(body: ChosenBody, version: EasVersion, part?: number): Element {
  const data: Child = body.data === undefined || part !== undefined ? undefined : el('AirSyncBase:Data', body.data)
  return el(
    'AirSyncBase:Body',
    el('AirSyncBase:Type', body.type),
    el('AirSyncBase:EstimatedDataSize', body.size),
    (body.truncated || body.sayTruncated === true) && el('AirSyncBase:Truncated', body.truncated ? 1 : 0),
    data,
    body.preview !== undefined && atLeast(version, '14.0') && el('AirSyncBase:Preview', body.preview),
    part !== undefined && body.data !== undefined && el('ItemOperations:Part', part),
  )
}

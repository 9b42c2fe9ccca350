/** The files of a mail: looked at where that can be done here, else downloaded. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { BodyPart } from '../jmap/types.ts'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { fileSize, t } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'
import { previewKind } from './preview-kind.ts'

/** Without a server a link saves nothing: what is kept on the device is. */
async function saveKept(event: MouseEvent, url: string, name: string): Promise<void> {
  if (app.reached.peek()) return
  event.preventDefault()
  try {
    const response = await app.client.request(url)
    const address = URL.createObjectURL(new Blob([await response.arrayBuffer()]))
    const link = document.createElement('a')
    link.href = address
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), 60_000)
  } catch {
    app.tell(t('fileNotKept'))
  }
}

const Preview = lazy(() => import('./preview.tsx').then((one) => one.Preview))
/** Larger pictures are not loaded for a thumbnail. */
const MOST_THUMBNAIL = 8_000_000

export function Attachments({ parts }: { readonly parts: readonly BodyPart[] }): JSX.Element | null {
  const [looked, setLooked] = useState<BodyPart>()
  const shown = parts.filter((one) => one.blobId !== null && !(one.cid !== null && one.disposition === 'inline'))
  if (shown.length === 0) return null
  return (
    <section class="attachments" aria-label={t('attachments', { n: shown.length })}>
      <ul>
        {shown.map((part) => (
          <Attachment key={part.partId} part={part} onLook={() => setLooked(part)} />
        ))}
      </ul>
      {looked !== undefined && <Suspense of={Preview} part={looked} onClose={() => setLooked(undefined)} />}
    </section>
  )
}

function Attachment({ part, onLook }: { readonly part: BodyPart; readonly onLook: () => void }): JSX.Element {
  const name = plainName(part.name ?? part.type.replace('/', '.'))
  const url = app.client.downloadUrl(part.blobId ?? '', name, part.type)
  const kind = previewKind(part)
  const inside = (
    <>
      {kind === 'picture' && part.size < MOST_THUMBNAIL ? (
        <img src={url} alt="" loading="lazy" />
      ) : (
        <span class="attachment-kind">{kindOf(name, part.type)}</span>
      )}
      <span class="attachment-name" dir="auto">
        {name}
      </span>
      <span class="attachment-size">{fileSize(part.size)}</span>
    </>
  )
  if (kind === undefined)
    return (
      <li>
        <a
          class="attachment"
          href={url}
          download={name}
          title={t('downloadNamed', { name })}
          onClick={(event) => void saveKept(event, url, name)}
        >
          {inside}
        </a>
      </li>
    )
  return (
    <li class="attachment-pair">
      <button type="button" class="attachment" title={t('preview', { name })} onClick={onLook}>
        {inside}
      </button>
      <a
        class="icon-button"
        href={url}
        download={name}
        aria-label={t('downloadNamed', { name })}
        onClick={(event) => void saveKept(event, url, name)}
      >
        <Icon name="download" />
      </a>
    </li>
  )
}

/** Marks that turn the reading direction make `fdp.exe` look like `exe.pdf`. */
const plainName = (name: string): string => name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
const kindOf = (name: string, type: string): string =>
  (/\.([a-z0-9]{1,4})$/i.exec(name)?.[1] ?? type.split('/')[1] ?? '').slice(0, 4).toUpperCase()

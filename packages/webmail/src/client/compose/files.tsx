/** Files of a mail one writes: taken in, shown with their progress, put into the text where they are pictures. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Editor } from '../editor.ts'
import { fileSize, t } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'
import type { Attached } from './open.ts'
import { upload } from './upload.ts'

interface Loading {
  readonly key: string
  readonly name: string
  readonly part: number
}

export interface Files {
  readonly attached: readonly Attached[]
  readonly loading: readonly Loading[]
  /** Uploads and attaches; `inline`: pictures go into the text. */
  add(list: Iterable<File>, inline?: boolean): void
  remove(one: Attached): void
}

export function useFiles(start: readonly Attached[], editor: () => Editor | undefined): Files {
  const [attached, setAttached] = useState(start)
  const [loading, setLoading] = useState<readonly Loading[]>([])
  const add = (list: Iterable<File>, inline = false): void => {
    for (const file of list) {
      const key = `u${crypto.randomUUID()}`
      const wanted = inline && /^image\/(?:png|jpeg|gif|webp)$/.test(file.type)
      setLoading((all) => [...all, { key, name: file.name, part: 0 }])
      upload(file, (part) => setLoading((all) => all.map((one) => (one.key === key ? { ...one, part } : one))))
        .then(
          ({ blobId }) => {
            // What waits on the device has no address yet: it goes along as a file.
            const picture = wanted && !blobId.startsWith('local-')
            const cid = picture ? `${key}@postrider` : undefined
            const made: Attached = {
              key,
              name: file.name,
              type: file.type || 'application/octet-stream',
              size: file.size,
              blobId,
              cid,
            }
            setAttached((all) => [...all, made])
            if (picture)
              editor()?.insertImage(app.client.downloadUrl(blobId, file.name, file.type), {
                alt: file.name,
                style: 'max-width:100%',
              })
          },
          () => app.tell(t('uploadFailed', { name: file.name })),
        )
        .finally(() => setLoading((all) => all.filter((one) => one.key !== key)))
    }
  }
  return { attached, loading, add, remove: (one) => setAttached((all) => all.filter((other) => other !== one)) }
}

export function FileList({ files }: { readonly files: Files }): JSX.Element | null {
  const { attached, loading, remove } = files
  const shown = attached.filter((one) => one.cid === undefined)
  if (shown.length === 0 && loading.length === 0) return null
  return (
    <ul class="compose-files">
      {shown.map((one) => (
        <li key={one.key} class="chip">
          <Icon name="attach" />
          <span dir="auto">{one.name}</span>
          <small>{fileSize(one.size)}</small>
          <button type="button" aria-label={t('removeNamed', { name: one.name })} onClick={() => remove(one)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
      {loading.map((one) => (
        <li key={one.key} class="chip">
          <span dir="auto">{t('uploading', { name: one.name, n: Math.round(one.part * 100) })}</span>
          <progress max={1} value={one.part} aria-label={one.name} />
        </li>
      ))}
    </ul>
  )
}

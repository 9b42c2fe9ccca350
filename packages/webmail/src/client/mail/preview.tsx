/** A look at an attachment without leaving the mail: pictures, texts, PDF. What it is goes by its declared type, and by nothing in it. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { BodyPart } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { previewKind } from './preview-kind.ts'

const MOST_TEXT = 256 * 1024

export function Preview({ part, onClose }: { readonly part: BodyPart; readonly onClose: () => void }): JSX.Element {
  const name = part.name ?? part.type
  const url = app.client.downloadUrl(part.blobId ?? '', name, part.type)
  const kind = previewKind(part)
  return (
    <Sheet label={name} class={`preview preview-${kind}`} onClose={onClose}>
      <div class="preview-body">
        {kind === 'picture' && <img src={url} alt={name} />}
        {kind === 'text' && <TextPreview url={url} charset={part.charset ?? 'utf-8'} />}
        {kind === 'pdf' && <PdfPreview url={url} name={name} />}
      </div>
      <footer class="preview-foot">
        <a class="button" href={url} download={name}>
          <Icon name="download" /> {t('download')}
        </a>
      </footer>
    </Sheet>
  )
}

/** The bytes of an attachment; undefined until they are here. */
function useBytes(url: string): { readonly bytes: ArrayBuffer | undefined; readonly failed: boolean } {
  const [bytes, setBytes] = useState<ArrayBuffer>()
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let wanted = true
    app.client
      .request(url)
      .then((response) => response.arrayBuffer())
      .then(
        (all) => {
          if (wanted) setBytes(all)
        },
        () => {
          if (wanted) setFailed(true)
        },
      )
    return () => {
      wanted = false
    }
  }, [url])
  return { bytes, failed }
}

function TextPreview({ url, charset }: { readonly url: string; readonly charset: string }): JSX.Element {
  const { bytes, failed } = useBytes(url)
  if (failed) return <p role="alert">{t('bodyFailed')}</p>
  if (bytes === undefined) return <div class="coming" aria-busy="true" />
  return (
    <>
      <pre dir="auto" tabIndex={0}>
        {decoded(bytes.slice(0, MOST_TEXT), charset)}
      </pre>
      {bytes.byteLength > MOST_TEXT && <p class="hint">{t('previewCut')}</p>}
    </>
  )
}

function decoded(bytes: ArrayBuffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    // A charset the browser does not know.
    return new TextDecoder().decode(bytes)
  }
}

/** By the browser's own viewer: the bytes are a PDF because we say so, they can be no page. */
function PdfPreview({ url, name }: { readonly url: string; readonly name: string }): JSX.Element {
  const { bytes, failed } = useBytes(url)
  const [address, setAddress] = useState<string>()
  useEffect(() => {
    if (bytes === undefined) return
    const made = URL.createObjectURL(new Blob([bytes], { type: 'application/pdf' }))
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [bytes])
  if (failed) return <p role="alert">{t('bodyFailed')}</p>
  return address === undefined ? <div class="coming" aria-busy="true" /> : <iframe src={address} title={name} />
}

/** Upload of a file (RFC 8620 §6.1) with its progress, which fetch does not tell. */
import { app } from '../app.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Id } from '../jmap/types.ts'
import type { Attached } from './open.ts'

const send = (file: File, progress: (part: number) => void): Promise<{ readonly blobId: Id }> =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', app.client.uploadUrl)
    for (const [name, value] of Object.entries(app.headers())) request.setRequestHeader(name, value)
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => progress(total === 0 ? 0 : loaded / total)
    request.onload = () => {
      const answer = request.response as { readonly blobId?: Id } | null
      if (request.status < 300 && answer?.blobId !== undefined) resolve({ blobId: answer.blobId })
      else
        reject([502, 503, 504].includes(request.status) ? new OfflineError() : new Error(`upload: ${request.status}`))
    }
    request.onerror = () => reject(new OfflineError())
    request.send(file)
  })

/** To the server; while that is away, kept on the device until it is back. */
export async function upload(file: File, progress: (part: number) => void): Promise<{ readonly blobId: Id }> {
  try {
    return await send(file, progress)
  } catch (error) {
    const device = app.device.peek()
    if (!(error instanceof OfflineError) || device === undefined) throw error
    return { blobId: await device.outbox.keepFile(file) }
  }
}

/** Files that are to be attached to a new mail. */
export const keepFiles = (files: readonly File[]): Promise<Attached[]> =>
  Promise.all(
    files.map(async (file) => ({
      key: `u${crypto.randomUUID()}`,
      name: file.name,
      type: file.type || 'application/octet-stream',
      size: file.size,
      blobId: (await upload(file, () => {})).blobId,
    })),
  )

/** The same with blobs the server has. */
export async function withUploaded(attached: readonly Attached[]): Promise<readonly Attached[]> {
  const device = app.device.peek()
  if (device === undefined || !attached.some(({ blobId }) => blobId.startsWith('local-'))) return attached
  return Promise.all(
    attached.map(async (one) => ({ ...one, blobId: await device.outbox.uploaded(one.blobId, one.type) })),
  )
}

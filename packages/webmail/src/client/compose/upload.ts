/** Upload of a file (RFC 8620 §6.1) with its progress, which fetch does not tell. */
import { app } from '../app.ts'
import type { Id } from '../jmap/types.ts'

export const upload = (file: File, progress: (part: number) => void): Promise<{ readonly blobId: Id }> =>
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
      else reject(new Error(`upload: ${request.status}`))
    }
    request.onerror = () => reject(new Error('upload: offline'))
    request.send(file)
  })

/** Making a passkey: WebAuthn §5.1.3, with the options the server gave. */
import { post } from './account-calls.ts'

interface Options {
  readonly challenge: string
  readonly rp: PublicKeyCredentialRpEntity
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly pubKeyCredParams: PublicKeyCredentialParameters[]
  readonly timeout: number
  readonly authenticatorSelection: AuthenticatorSelectionCriteria
  readonly excludeCredentials: readonly { readonly id: string }[]
}

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')

/** False when the user closed the browser's window; rejects with what the server refused. */
export async function makePasskey(password: string, name: string): Promise<boolean> {
  const { options } = await post<{ readonly options: Options }>('/web/account/passkeys', { act: 'begin', password })
  let made: Credential | null
  try {
    made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: options.excludeCredentials.map(({ id }) => ({ type: 'public-key', id: bytes(id) })),
        attestation: 'none',
      },
    })
  } catch (error) {
    if (error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')) return false
    throw error
  }
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAttestationResponse))
    return false
  const { clientDataJSON, attestationObject } = made.response
  const credential = {
    id: made.id,
    response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) },
  }
  await post('/web/account/passkeys', { act: 'finish', name, credential })
  return true
}

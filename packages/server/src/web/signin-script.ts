import { createHash } from 'node:crypto'

/**
 * The sign-in page's only script: passkeys. The page works without it. It asks for a challenge, lets the browser offer passkeys among the
 * names of the address field (conditional mediation) and behind a button, and shows what came out of it.
 */
export const PASSKEY_SCRIPT_PATH = '/signin/passkey.js'
export const passkeyScript = `'use strict'
{
  const button = document.getElementById('passkey')
  const fault = document.getElementById('passkey-fault')
  const form = document.querySelector('form[method=post]')
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=+$/, '')
  const send = async (body) => {
    const answer = await fetch('/signin/passkey', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ csrf: form.elements.csrf.value, ...body }),
    })
    if (!answer.ok) throw new Error(String(answer.status))
    return answer.json()
  }
  let waiting = new AbortController()
  const ask = async (mediation) => {
    waiting.abort()
    waiting = new AbortController()
    const { signal } = waiting
    const { options } = await send({ act: 'ask' })
    if (signal.aborted) return
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: [] }
    const made = await navigator.credentials.get({ publicKey, signal, ...(mediation ? { mediation } : {}) })
    const { clientDataJSON, authenticatorData, signature, userHandle } = made.response
    const credential = {
      id: made.id,
      response: {
        clientDataJSON: text(clientDataJSON),
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: userHandle === null ? '' : text(userHandle),
      },
    }
    const { elements } = form
    const { to } = await send({
      act: 'answer',
      credential,
      computer: elements.computer.value,
      light: elements.light.checked,
      next: elements.next ? elements.next.value : '',
    })
    location.assign(to)
  }
  // Who closes the browser's window has not failed; what the server refuses is said.
  const failed = (error) => {
    if (error.name !== 'AbortError' && error.name !== 'NotAllowedError') fault.hidden = false
  }
  const offer = () =>
    globalThis.PublicKeyCredential?.isConditionalMediationAvailable?.().then((can) => {
      if (can) ask('conditional').catch(failed)
    })
  if (globalThis.PublicKeyCredential && button && form) {
    button.hidden = false
    if (button.autofocus) button.focus()
    button.addEventListener('click', () => {
      fault.hidden = true
      ask().catch((error) => {
        failed(error)
        offer()
      })
    })
    offer()
  }
}
`
export const passkeyScriptTag = `"${createHash('sha256').update(passkeyScript).digest('base64url').slice(0, 27)}"`

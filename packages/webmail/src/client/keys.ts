/** Keys to commands. Single letters only where nothing is typed; two-key sequences (`g i`) within a second. */
import { commands, keysOf } from './commands.ts'

const SEQUENCE_MS = 1_000

/** `Ctrl+Shift+K` of an event; letters small unless with Shift alone. */
export function nameOfKey(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): string {
  const letter = /^[a-z]$/i.test(event.key)
  const control = event.ctrlKey || event.metaKey
  const shift = event.shiftKey && (letter || event.key.length > 1)
  const key = letter
    ? control || event.altKey || shift
      ? event.key.toUpperCase()
      : event.key.toLowerCase()
    : event.key
  return `${control ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`
}

const typesText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)))

export function listenForKeys(): void {
  let before = ''
  let since = 0
  addEventListener('keydown', (event) => {
    if (
      event.defaultPrevented ||
      event.isComposing ||
      (event.repeat && event.key.length === 1 && !/[jk]/.test(event.key))
    )
      return
    if (document.querySelector('dialog[open]') !== null || document.querySelector('.menu') !== null) return
    const name = nameOfKey(event)
    const typing = typesText(event.target)
    if (typing && !/^Ctrl\+[K]$|^F6$/.test(name)) return
    const now = performance.now()
    const sequence = before !== '' && now - since < SEQUENCE_MS ? `${before} ${name}` : ''
    before = name.length === 1 ? name : ''
    since = now
    for (const wanted of sequence === '' ? [name] : [sequence, name])
      for (const command of commands) {
        if (!keysOf(command).includes(wanted)) continue
        // A key that begins sequences waits for the second; both presets keep those letters free.
        if (command.when !== undefined && !command.when()) continue
        if (name === 'Ctrl+A' && event.target instanceof HTMLElement && event.target.closest('.reader') !== null) return
        event.preventDefault()
        before = ''
        command.run()
        return
      }
  })
}

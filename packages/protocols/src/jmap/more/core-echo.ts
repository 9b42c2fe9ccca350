/** Core/echo: RFC 8620 §4. */
import type { Method } from '../core/method.ts'

export const coreEcho: Method = {
  name: 'Core/echo',
  capability: 'core',
  run: (_call, args) => Promise.resolve({ answer: args, more: [] }),
}

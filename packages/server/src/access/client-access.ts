import type { Socket } from 'node:net'
import type { Loaded } from '../config/load.ts'
import type { ListenerName } from '../config/settings.ts'
import type { Services } from '../services.ts'
import { Fleet, type FleetParts } from './fleet.ts'
import { createFront, type FrontParts } from './front.ts'
import type { SentConfig } from './messages.ts'

/** Client access, in this process or in others. */
export interface Access {
  /** What becomes of new connections of a listener. */
  accept(name: ListenerName): ((socket: Socket) => void) | undefined
  /** Whether they go on to another process. */
  readonly paused: boolean
  start?(): Promise<void>
  health?(): string | undefined
  reload?(next: Loaded): Promise<void>
  certificates?(): void
  connections(name: ListenerName): number
  held(): Promise<number>
  /** Of processes of its own. */
  memoryBytes(): number
  drain(graceMs: number): Promise<void>
  close(): void | Promise<void>
}

export const sentConfig = ({ config, file, dataFolder }: Loaded): SentConfig => ({ config, file, dataFolder })

/** Client access in this process. */
export function accessHere(parts: FrontParts): Access {
  const front = createFront(parts)
  const { held } = parts.services
  return {
    accept: (name) => front.accept.get(name),
    paused: false,
    connections: (name) => front.connections()[name] ?? 0,
    held: async () => held.size,
    memoryBytes: () => 0,
    drain: (graceMs) => front.drain(graceMs),
    close: () => front.close(),
  }
}

/** Client access in processes of its own. */
export function accessElsewhere(parts: FleetParts, services: Services): Access {
  const fleet = new Fleet(parts)
  return {
    accept: (name) => (services.lines.has(name) || name === 'https' ? fleet.accept(name) : undefined),
    paused: true,
    start: () => fleet.start(),
    health: () => fleet.health(),
    reload: (next) => fleet.reload(sentConfig(next)),
    certificates: () => fleet.certificates(),
    connections: (name) => fleet.connections(name),
    held: () => fleet.held(),
    memoryBytes: () => fleet.memoryBytes,
    async drain(graceMs) {
      await Promise.all([fleet.drain(graceMs), services.drain(graceMs)])
    },
    close: () => fleet.stop(),
  }
}

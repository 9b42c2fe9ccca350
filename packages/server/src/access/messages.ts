/** What the main process and its client-access processes say to each other, beside the frames of the mailboxes. */
import type { TraceLine } from '@postrider/domain'
import type { DirectoryNews, DirectoryWrite, Decides } from '@postrider/store/directory'
import type { Config, ListenerName } from '../config/settings.ts'
import type { OwnerDoor } from '../home/index.ts'
import type { Measured } from '../home/side-channel.ts'
import type { SecondStep } from '../web/second-factor.ts'
import type { MetricsText } from './front.ts'

/** What a client-access process is started with, over the channel that Node opens to a child. */
export interface AccessStart {
  readonly folder: string
  /** Its name in logs and metrics. */
  readonly name: string
  /** The main process's socket, a file of the folder, and what to show there (hex). */
  readonly socket: string
  readonly token: string
}
/** A connection of a listener; its socket goes with it. */
export interface PassedConnection {
  readonly id: number
  readonly listener: ListenerName
}

/** A configuration as it travels. */
export interface SentConfig {
  readonly config: Config
  readonly file: string
  readonly dataFolder: string
}
/** What a process learns when it joins; the directory and the notes have come before. */
export interface Joined {
  readonly first: SentConfig
  readonly loaded: SentConfig
  readonly logFormat: 'json' | 'text'
  readonly doors: readonly OwnerDoor[]
  readonly ports: readonly (readonly [ListenerName, number])[]
  readonly ticketKeys: Uint8Array
}

/** What the main process does for client access. */
export type HubSide = {
  readonly calls: {
    join(name: string): Promise<Joined>
    verify: Decides['verify']
    scram: Decides['scram']
    scramDone: Decides['scramDone']
    /** Resolves when all processes have heard of the change. */
    write(method: DirectoryWrite, args: readonly unknown[]): Promise<unknown>
    secondStep(method: keyof SecondStep, args: readonly unknown[]): Promise<unknown>
    /** Resolves when it is this work's turn; `done` ends it. */
    turn(name: string, id: number): Promise<void>
    post(topic: string, key: string, note: unknown, keepMs: number): Promise<void>
    health(): Promise<string | undefined>
    metrics(): Promise<MetricsText>
  }
  readonly words: {
    /** Takes connections from now on. */
    ready(): void
    count(key: string, by: number): void
    claim(place: string, id: number): void
    leave(place: string, id: number): void
    vacate(place: string): void
    done(id: number): void
    /** The connection has arrived; the next one may come. */
    took(id: number): void
    gone(id: number): void
    pulse(measured: readonly Measured[], memoryBytes: number): void
    trace(address: string, line: TraceLine): void
  }
}

export interface AccessStatus {
  readonly held: number
  readonly memoryBytes: number
}

/** What client access does for the main process. */
export type AccessSide = {
  readonly calls: {
    /** Answered when everything said before was heard. */
    heard(): Promise<void>
    reload(loaded: SentConfig): Promise<void>
    status(): Promise<AccessStatus>
    /** Tells clients and finishes what is under way; then the process ends. */
    drain(graceMs: number): Promise<void>
  }
  readonly words: {
    directory(news: readonly DirectoryNews[]): void
    count(key: string, by: number): void
    lost(id: number): void
    note(topic: string, key: string, note: unknown): void
    certificates(): void
  }
}

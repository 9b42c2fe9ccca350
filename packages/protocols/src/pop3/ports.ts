import type { Authenticator, Clock, Door, Logger, Meter, TimerWheel, Together } from '@postrider/domain'

/** What POP3 sessions need from the rest of the program. */
export interface Pop3Services {
  readonly door: Door
  readonly authenticator: Authenticator
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly log: Logger
  readonly meter: Meter
  /** The other processes that take connections; default: there are none. */
  readonly together?: Together
}

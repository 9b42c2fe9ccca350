/** Limits of one frame. More is a FrameError, on both sides. */

/** Bytes of a frame: the largest bag and the largest original fit several times over. */
export const MAX_FRAME_BYTES = 256 * 1024 * 1024
/** Arrays, objects and maps inside one another; a search query of the greatest depth fits. */
export const MAX_DEPTH = 256
/** Values in one frame: a list of MAX_OPERATIONS large items fits. */
export const MAX_VALUES = 1 << 22
/** Bytes of one bigint. */
export const MAX_BIGINT_BYTES = 1_024

/** What is no frame, or cannot become one. `tooLarge`: it is beyond a limit; a part of it might pass. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
  readonly tooLarge: boolean
  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

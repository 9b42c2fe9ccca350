import { join } from 'node:path'
import type { Loaded } from '../config/load.ts'

/** Where the secret of the two servers lies. */
export const keyFile = ({ config, dataFolder }: Loaded): string =>
  config['standby.key'] === '' ? join(dataFolder, 'standby.key') : config['standby.key']

import { parseS3Url } from '@postrider/store/s3'
import type { Logger, Meter } from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import type { Loaded } from '../config/load.ts'
import { directoryMark } from '../standby/index.ts'
import { Archiver } from './archive.ts'
import { bucketShelf, folderShelf } from './shelf.ts'

/** Starts the archive that the configuration asks for; undefined when it asks for none. */
export function startArchive(
  { config, dataFolder }: Loaded,
  options: {
    readonly databases: readonly string[]
    readonly directory: DirectoryStore
    readonly copyDirectory: (directory: DirectoryStore) => Buffer
    readonly others: (database: string) => number
    readonly archived: (database: string, seq: number) => void
    readonly log: Logger
    readonly meter: Meter
  },
): Archiver | undefined {
  const to = config['archive.to']
  if (to === '' || config['store.driver'] !== 'sqlite') return undefined
  const bucket = to.startsWith('s3://') ? parseS3Url(to) : undefined
  const { databases, directory, copyDirectory, others, archived, meter } = options
  let mark = ''
  return new Archiver({
    dataFolder,
    shelf: bucket === undefined ? folderShelf(to) : bucketShelf(bucket),
    databases,
    everyMs: config['archive.every'],
    keepMs: config['archive.keep'],
    keepBytes: config['standby.keep'],
    directory() {
      const now = directoryMark(dataFolder)
      if (now === mark) return undefined
      mark = now
      return copyDirectory(directory)
    },
    others,
    archived,
    log: options.log.child({ part: 'archive' }),
    meter,
  })
}

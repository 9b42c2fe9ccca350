import { isIP } from 'node:net'
import { verbatim } from '@postrider/domain'
import { domainKey, domainValid } from '@postrider/store/directory'
import { parseS3Url, showS3Url } from '@postrider/store/s3'
import { hidden, integer, text } from '../kinds.ts'

/** Kinds of values that are more than a number or a word. */

export const hostName = text({ en: 'a host name', fr: 'un nom d’hôte' }, (value) => domainValid(domainKey(value)))
export const fileName = text({ en: 'a file name', fr: 'un nom de fichier' })
export const address = text({ en: 'an IP address', fr: 'une adresse IP' }, (value) => isIP(value) !== 0)
export const url = text(
  { en: 'an https:// address without a path', fr: 'une adresse https:// sans chemin' },
  (value) => {
    if (!URL.canParse(value)) return false
    const { protocol, pathname, search, hash, username } = new URL(value)
    return protocol === 'https:' && pathname === '/' && `${search}${hash}${username}` === ''
  },
)
export const hostAndPort = text({ en: 'host or host:port', fr: 'hôte ou hôte:port' }, (value) =>
  /^(?:\[[\da-fA-F:]+\]|[A-Za-z0-9_.-]+)(?::\d{1,5})?$/.test(value),
)
export const archivePlace = hidden(
  text(
    {
      en: 'a folder, or s3://key:secret@host:port/bucket/folder',
      fr: 'un dossier, ou s3://clé:secret@hôte:port/seau/dossier',
    },
    (value) => !value.startsWith('s3://') || parseS3Url(value) !== undefined,
  ),
  (value) => (value.startsWith('s3://') ? showS3Url(value) : value),
)
export const reachedAt = text({ en: 'host:port', fr: 'hôte:port' }, (value) =>
  /^(?:\[[\da-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/.test(value),
)
export const serverAddress = hidden(
  text(verbatim('postgres://user:password@host:port/database'), (value) =>
    /^postgres(?:ql)?:\/\/(?:[^@/\s]*@)?[^@/\s]+\/[^\s]+$/.test(value),
  ),
  // The password goes from the first colon behind the scheme to the last @ before the host.
  (value) => value.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1:***@'),
)
export const bucketAddress = hidden(
  text(verbatim('s3://key:secret@host:port/bucket/folder'), (value) => parseS3Url(value) !== undefined),
  showS3Url,
)
export const port = integer(0, 65_535)

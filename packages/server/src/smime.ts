import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { type Phrase, verbatim } from '@postrider/domain'
import {
  type Believes,
  believesIn,
  type Certificate,
  readCertificates,
  SmimeError,
  TrustList,
} from '@postrider/wire/smime'
import { ConfigError, configPath, type Loaded } from './config/load.ts'

/** Whose S/MIME signatures are believed: authorities of `smime.trust`, and those that come with Node unless they are switched off. */

let platform: readonly Certificate[] | undefined
/** Read once, when first needed; one that cannot be read is no anchor. */
const platformAnchors = (): readonly Certificate[] => {
  platform ??= rootCertificates.flatMap((pem) => {
    try {
      return readCertificates(Buffer.from(pem))
    } catch (error) {
      if (error instanceof SmimeError) return []
      throw error
    }
  })
  return platform
}

/** The administrator's own. Throws ConfigError for a file that holds none. */
function ownAnchors(loaded: Loaded): Certificate[] {
  return loaded.config['smime.trust'].flatMap((name) => {
    const file = configPath(loaded, name)
    try {
      const found = readCertificates(readFileSync(file))
      if (found.length > 0) return found
      throw new ConfigError([unusable(file, verbatim('PEM'))])
    } catch (error) {
      if (error instanceof ConfigError) throw error
      throw new ConfigError([unusable(file, verbatim((error as Error).message))])
    }
  })
}
const unusable = (file: string, why: Phrase): Phrase => ({
  en: `smime.trust: no certificate can be read from ${file}: ${why.en}`,
  fr: `smime.trust : aucun certificat lisible dans ${file} : ${why.fr}`,
})

/** What the configuration says of it; the lists are made when somebody first asks. Throws ConfigError. */
export function smimeTrust(loaded: Loaded): () => Believes {
  const own = ownAnchors(loaded)
  const withPlatform = loaded.config['smime.systemTrust']
  let believes: Believes | undefined
  return () => {
    believes ??= believesIn(new TrustList([...own, ...(withPlatform ? platformAnchors() : [])]))
    return believes
  }
}

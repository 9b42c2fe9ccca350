import { adminCommand, CommandFailed, UsageError } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { notRunning } from '../cli/phrases.ts'
import { DEFAULT_TRACE_MINUTES, MAX_TRACE_MINUTES, type TraceReport } from '../operations/traces.ts'

export const trace = adminCommand<readonly TraceReport[]>({
  name: 'trace',
  summary: {
    en: 'Writes down what one user’s programs and the server say to each other.',
    fr: 'Note ce que les programmes d’un utilisateur et le serveur se disent.',
  },
  arguments: ['address?'],
  options: {
    minutes: {
      value: 'number',
      help: {
        en: `Ends by itself after so long (${DEFAULT_TRACE_MINUTES}).`,
        fr: `Se termine seul au bout de ce temps (${DEFAULT_TRACE_MINUTES}).`,
      },
    },
    off: { help: { en: 'Ends it now.', fr: 'L’arrête maintenant.' } },
  },
  notes: [
    {
      en: 'ActiveSync, the web client and JMAP at once; IMAP, POP3 and submission from the next login on, mail from other servers from their next connection on. Passwords, contents and search words are left out. Without an address: lists the traces.',
      fr: 'ActiveSync, la messagerie web et JMAP tout de suite ; IMAP, POP3, l’envoi et le courrier d’autres serveurs dès la prochaine connexion. Sans mots de passe, contenus ni mots cherchés. Sans adresse : donne les traces en cours.',
    },
  ],
  where: 'server',
  async run({ server, directory }, words) {
    if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
    const wanted = words.at(0)
    if (wanted === undefined) return server.traces.list()
    const entry = directory.identity(wanted)
    if (words.flag('off')) {
      server.traces.stop(entry.address)
      return server.traces.list()
    }
    const minutes = Number(words.value('minutes') ?? DEFAULT_TRACE_MINUTES)
    if (!(minutes > 0 && minutes <= MAX_TRACE_MINUTES))
      throw new UsageError({
        en: `Minutes are a number up to ${MAX_TRACE_MINUTES}.`,
        fr: `Les minutes sont un nombre jusqu’à ${MAX_TRACE_MINUTES}.`,
      })
    const report = server.traces.start(entry.address, minutes)
    if (report === undefined)
      throw new CommandFailed({ en: 'Too many traces run already.', fr: 'Trop de traces sont déjà en cours.' })
    return [report]
  },
  text: (traces, say) =>
    traces.length === 0
      ? say({ en: 'Nobody is traced.', fr: 'Personne n’est tracé.' })
      : columns(
          traces.map(({ address, until, file }) => [
            address,
            say({ en: `until ${until}`, fr: `jusqu’à ${until}` }),
            file,
          ]),
        ),
})

import { adminCommand, CommandFailed } from '../cli/command.ts'
import { notRunning } from '../cli/phrases.ts'

export const metricsCommand = adminCommand<{ readonly prometheus: string }>({
  name: 'metrics',
  summary: {
    en: 'Prints the metrics of the running server, as Prometheus reads them.',
    fr: 'Affiche les mesures du serveur en marche, comme Prometheus les lit.',
  },
  arguments: [],
  options: {},
  notes: [
    {
      en: 'The same stands at /metrics over HTTPS. `docs/monitoring` holds a Grafana board and alert rules.',
      fr: 'La même chose se trouve à /metrics en HTTPS. `docs/monitoring` contient un tableau Grafana et des règles d’alerte.',
    },
  ],
  where: 'server',
  async run({ server }) {
    if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
    return { prometheus: await server.metrics() }
  },
  text: ({ prometheus }) => prometheus.trimEnd(),
})

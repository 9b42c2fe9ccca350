import { mailboxContract } from '@postrider/domain/contract'
import { Caller, connectTls, listenTls, type NodeCertificate, serveChannel } from '@postrider/link'
import { openMemoryStore } from '@postrider/store/memory'
import { issueNode, makeAuthority } from './authority.ts'

const authority = makeAuthority(Date.now())
const node = (name: string): NodeCertificate => {
  const { key, certificate } = issueNode(authority, name, Date.now())
  return { key, certificate, authority: authority.certificate }
}
const [alpha, beta] = [node('alpha'), node('beta')]

mailboxContract(
  'two nodes over memory',
  async ({ clock }) => {
    const store = openMemoryStore({ clock })
    const listening = await listenTls({
      own: alpha,
      host: '127.0.0.1',
      port: 0,
      purposes: ['postrider-mailboxes/1'],
      admits: ({ name }) => name === 'beta',
      joined: (channel) => serveChannel(store, channel),
    })
    const caller = new Caller()
    const { port } = listening
    const peer = { name: 'alpha' }
    caller.attach(await connectTls({ own: beta, host: '127.0.0.1', port, purpose: 'postrider-mailboxes/1', peer }))
    return {
      service: caller.service,
      forgetTombstones: (mailbox) => store.forgetTombstones(mailbox),
      async close() {
        caller.close()
        listening.close()
        await store.close()
      },
    }
  },
  { modelRuns: 20 },
)

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { until } from '../src/process/index.ts'
import { without } from '../src/programs/index.ts'
import { TestServer } from '../src/server/index.ts'
import { Thunderbird } from '../src/thunderbird/index.ts'
import { testMail } from './mails.ts'

const ADDRESS = 'bird@example.com'
const PASSWORD = 'bird-password'

/** Adds the account as the account wizard leaves it: IMAP over TLS, SMTP over TLS, password known. */
const addAccount = `
const [imapPort, smtpPort, address, password] = args
const server = MailServices.accounts.createIncomingServer(address, '127.0.0.1', 'imap')
server.port = imapPort
server.socketType = 3
server.authMethod = 3
server.password = password
const outgoing = MailServices.outgoingServer.createServer('smtp')
outgoing.QueryInterface(Ci.nsISmtpServer)
outgoing.hostname = '127.0.0.1'
outgoing.port = smtpPort
outgoing.socketType = 3
outgoing.authMethod = 3
outgoing.username = address
outgoing.password = password
const identity = MailServices.accounts.createIdentity()
identity.email = address
identity.smtpServerKey = outgoing.key
const account = MailServices.accounts.createAccount()
account.addIdentity(identity)
account.incomingServer = server
server.performExpand(null)
const inbox = await until('the inbox', () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox))
inbox.getNewMessages(null, null)
await until('three mails', () => inbox.getTotalMessages(false) === 3)
return [...inbox.messages].map((header) => header.mime2DecodedSubject)
`
const readFlagAndFile = `
const server = MailServices.accounts.allServers.find((one) => one.type === 'imap')
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox)
const [first, second, third] = [...inbox.messages]
inbox.markMessagesRead([first], true)
inbox.markMessagesFlagged([second], true)
const trash = await until('the trash', () => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Trash))
MailServices.copy.copyMessages(inbox, [third], trash, true, null, null, true)
await until('two left', () => inbox.getTotalMessages(false) === 2)
return trash.name
`
const writeMail = `
const [address] = args
const identity = MailServices.accounts.allIdentities.find((one) => one.email === address)
const fields = Cc['@mozilla.org/messengercompose/composefields;1'].createInstance(Ci.nsIMsgCompFields)
fields.from = address
fields.to = address
fields.subject = 'Grüße von Thunderbird'
const parameters = Cc['@mozilla.org/messengercompose/composeparams;1'].createInstance(Ci.nsIMsgComposeParams)
parameters.composeFields = fields
parameters.identity = identity
const file = Services.dirsvc.get('TmpD', Ci.nsIFile)
file.append('postrider-message.eml')
file.createUnique(0, 0o600)
const text = 'From: ' + address + '\\r\\nTo: ' + address + '\\r\\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_von_Thunderbird?=\\r\\nMessage-ID: <tb-1@example.com>\\r\\nDate: ' + new Date().toUTCString() + '\\r\\nMIME-Version: 1.0\\r\\nContent-Type: text/plain; charset=utf-8\\r\\n\\r\\nhello\\r\\n'
await IOUtils.writeUTF8(file.path, text)
const send = Cc['@mozilla.org/messengercompose/send;1'].createInstance(Ci.nsIMsgSend)
const { promise, resolve, reject } = Promise.withResolvers()
send.sendMessageFile(identity, '', fields, file, true, false, Ci.nsIMsgSend.nsMsgDeliverNow, null, {
  QueryInterface: ChromeUtils.generateQI(['nsIMsgSendListener']),
  onStartSending() {}, onSendProgress() {}, onStatus() {}, onGetDraftFolderURI() {}, onSendNotPerformed() {}, onTransportSecurityError() {},
  onStopSending(id, status, message) { status === 0 ? resolve('sent') : reject(new Error('sending failed: ' + status + ' ' + message)) },
}, null, '')
return await promise
`

test('R45: Thunderbird fetches, reads, flags, files, sends and hears of new mail', {
  skip: without('thunderbird'),
}, async () => {
  await using server = await TestServer.start()
  await server.addUser(ADDRESS, PASSWORD)
  const imap = await ImapClient.login(server.port('imaps'), ADDRESS, PASSWORD)
  for (let i = 0; i < 3; i++)
    await imap.append('INBOX', testMail({ from: 'ann@outside.example', to: ADDRESS, subject: `mail ${i}` }).text)
  await using bird = await Thunderbird.start()
  for (const name of ['imaps', 'submissions'] as const) await bird.trust(server.port(name))
  const subjects = await bird.script(addAccount, server.port('imaps'), server.port('submissions'), ADDRESS, PASSWORD)
  assert.deepEqual(subjects, ['mail 0', 'mail 1', 'mail 2'])

  assert.equal(await bird.script(readFlagAndFile), 'Deleted Items')
  await until('the server has what Thunderbird did', async () => {
    await imap.command('SELECT INBOX')
    const { untagged } = await imap.command('FETCH 1:* (FLAGS)')
    const rows = untagged.filter((line) => line.includes('FETCH'))
    return rows.length === 2 && rows[0]?.includes('\\Seen') && rows[1]?.includes('\\Flagged')
  })

  assert.equal(await bird.script(writeMail, ADDRESS), 'sent')
  const seen = await bird.script(`
    const inbox = MailServices.accounts.allServers.find((one) => one.type === 'imap').rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox)
    await until('the mail it sent', () => [...inbox.messages].some((one) => one.messageId === 'tb-1@example.com'))
    return [...inbox.messages].at(-1).mime2DecodedSubject
  `)
  assert.equal(seen, 'Grüße von Thunderbird')
  imap.close()
})

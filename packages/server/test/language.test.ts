/** The command line in French against a server that was started in English, and the lines of a start. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type RunResult, run, until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'

const main = resolve(import.meta.dirname, '..', 'src', 'main.ts')

test('texts made in the server come in the language of the caller', async () => {
  await using it = await TestServer.start({ config: {} })
  const ask = (language: string, ...args: string[]): Promise<RunResult> =>
    run(process.execPath, [main, ...args], { env: { ...it.env, POSTRIDER_LANGUAGE: '', LC_ALL: language } })

  const missing = await ask('fr_FR.UTF-8', 'user', 'show', 'nobody@example.com')
  assert.deepEqual([missing.code, missing.stdout], [1, ''])
  assert.match(missing.stderr, /^postrider: Il n’y a pas de boîte nobody@example\.com\. `postrider user list`/)
  assert.match((await ask('C', 'user', 'show', 'nobody@example.com')).stderr, /There is no mailbox nobody/)
  const wrong = await ask('fr_FR.UTF-8', 'user', 'set', 'user@example.com', '--on', 'telepathy')
  assert.deepEqual([wrong.code, /« telepathy » n’est pas un protocole/.test(wrong.stderr)], [2, true])
  const link = await ask('fr_FR.UTF-8', 'export', 'nobody@example.com', join(it.folder, 'out'))
  assert.match(link.stderr, /Il n’y a pas de boîte nobody@example\.com/)

  assert.match((await ask('fr_FR', 'status')).stdout, /processus \d+, en marche depuis .* s, \d+ Mo/)
  assert.match((await ask('fr_FR', 'certificate', 'show')).stdout, /émetteur [\s\S]*valable jusqu’au .* \d{4}/)
  assert.equal((await ask('fr_FR', 'queue', 'list')).stdout, 'La file d’attente est vide.\n')
  assert.match((await ask('fr_FR', 'doctor', '--no-dns')).stdout, /ok +imaps +répond sur le port \d+ en TLS/)

  const file = join(it.folder, 'postrider.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...config, organization: 'Other', databases: 3 }))
  const reloaded = await ask('fr_FR', 'reload')
  assert.match(reloaded.stdout, /^organization est en vigueur\.$/m)
  assert.match(reloaded.stdout, /^databases a changé : prend effet au prochain démarrage\.$/m)

  for (const args of [
    ['user', 'list'],
    ['certificate', 'show'],
    ['queue', 'list'],
    ['user', 'show', 'nobody@example.com'],
  ])
    assert.deepEqual(await ask('fr_FR', ...args, '--json'), await ask('C', ...args, '--json'), args.join(' '))
})

test('a start says in French what a newcomer needs, and its log stays English', async () => {
  await using it = await TestServer.start({ env: { POSTRIDER_LANGUAGE: 'fr' } })
  await until('the lines of the start', () => it.output.includes('Ensuite '))
  assert.match(it.output, /Postrider [\d.]+ est prêt\./)
  assert.match(it.output, /Téléphone +ajoutez un compte Exchange \(ActiveSync\) ; serveur 127\.0\.0\.1:\d+/)
  assert.match(it.output, /Première boîte +user@example\.com {2}mot de passe : \S{20}/)
  assert.match(it.output, /a certificate was made/)
})

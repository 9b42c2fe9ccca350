import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownText } from './conversation.ts'
import { dueTimes, laterTimes, localTime, readLocalTime, utc } from './times.ts'

test('times are written and read in the user’s zone, across a change of its clock', () => {
  for (const zone of ['UTC', 'Europe/Paris', 'Asia/Kolkata', 'America/New_York'])
    for (const text of ['2026-12-24 18:00', '2026-03-29 12:00', '2026-11-01 09:30'])
      assert.equal(localTime(readLocalTime(text, zone), zone), text, `${zone} ${text}`)
  assert.equal(utc(readLocalTime('2026-12-24 18:00', 'Europe/Paris') ?? 0), '2026-12-24T17:00:00Z')
  for (const text of ['', 'soon', '2026-02-30 10:00', '2026-12-24 24:00', '2026-12-24'])
    assert.equal(readLocalTime(text, 'UTC'), undefined, text)
})

test('what is offered lies ahead, in order, by the clock of the user', () => {
  const at = (text: string): number => readLocalTime(text, 'Asia/Tokyo') ?? 0
  const shown = (now: string): string[] =>
    laterTimes(at(now), 'Asia/Tokyo').map(({ name, at: time }) => `${name} ${localTime(time, 'Asia/Tokyo')}`)
  // A Saturday.
  assert.deepEqual(shown('2026-11-21 10:00'), [
    'laterToday 2026-11-21 18:00',
    'tomorrowMorning 2026-11-22 08:00',
    'mondayMorning 2026-11-23 08:00',
  ])
  assert.deepEqual(shown('2026-11-24 20:00'), [
    'tomorrowMorning 2026-11-25 08:00',
    'thisWeekend 2026-11-28 09:00',
    'mondayMorning 2026-11-30 08:00',
  ])
  const [today] = dueTimes(at('2026-11-21 20:00'), 'Asia/Tokyo')
  assert.equal(localTime(today?.at, 'Asia/Tokyo'), '2026-11-21 23:59')
})

test('of an answer only what it adds is shown', () => {
  assert.equal(ownText('Yes.\n\nOn Saturday, Bob wrote:\n> Shall we?\n> Now?\n'), 'Yes.')
  assert.equal(ownText('Oui.\n\nLe samedi 21 novembre 2026 à 10:00,\nBob a écrit :\n> On y va ?\n'), 'Oui.')
  assert.equal(ownText('> only\n> a quote\n'), '> only\n> a quote')
  assert.equal(ownText('> asked\nanswered'), '> asked\nanswered')
})

import { join } from 'node:path'
import { test } from 'node:test'
import { loadTranscripts, play } from './test/transcript.ts'

for (const transcript of loadTranscripts(join(import.meta.dirname, 'transcripts'))) {
  test(`transcript ${transcript.name}`, () => play(transcript))
}

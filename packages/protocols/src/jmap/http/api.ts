/** The API: RFC 8620 §3. One POST, many calls, one answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '@postrider/domain'
import { Call } from '../core/call.ts'
import { dispatch } from '../core/dispatch.ts'
import { RequestProblem } from '../core/error.ts'
import { record } from '../core/json.ts'
import { type JmapRequest, readRequest } from '../core/request.ts'
import { MAX_CONCURRENT_REQUESTS, MAX_SIZE_REQUEST } from '../limits.ts'
import type { Jmap } from '../service.ts'
import { readBody } from './body.ts'
import { sendJson, sendProblem, sendStatus } from './respond.ts'
import { sessionObject } from './session.ts'

export async function handleApi(
  jmap: Jmap,
  request: IncomingMessage,
  response: ServerResponse,
  principal: Principal,
  base: string,
): Promise<void> {
  if (request.method !== 'POST')
    return sendStatus(request, response, 405, 'Only POST is possible here.', { Allow: 'POST' })
  // RFC 8620 §3.1; a form or a text from another site is none.
  const isJson = /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')
  if (!isJson)
    return sendProblem(request, response, new RequestProblem('notJSON', 'The content type is not application/json.'))
  const leave = jmap.enter('request', principal.account, MAX_CONCURRENT_REQUESTS)
  if (leave === undefined) {
    const problem = new RequestProblem('limit', 'Too many requests at the same time.', {
      status: 429,
      limit: 'maxConcurrentRequests',
    })
    return sendProblem(request, response, problem)
  }
  try {
    const body = await readBody(request, MAX_SIZE_REQUEST)
    if (body === 'gone') return
    if (body === 'tooLarge') throw new RequestProblem('limit', 'The request is too large.', { limit: 'maxSizeRequest' })
    await sendJson(request, response, await answerRequest(jmap, principal, base, readRequest(body)))
  } catch (error) {
    if (!(error instanceof RequestProblem)) throw error
    await sendProblem(request, response, error)
  } finally {
    leave()
  }
}

/** The Response object: RFC 8620 §3.4. */
export async function answerRequest(
  jmap: Jmap,
  principal: Principal,
  base: string,
  request: JmapRequest,
): Promise<Record<string, unknown>> {
  const call = new Call(jmap, principal, request.createdIds ?? new Map())
  const methodResponses = await dispatch(jmap.methods, call, request)
  return {
    methodResponses,
    ...(request.createdIds === undefined ? {} : { createdIds: record(call.createdIds) }),
    sessionState: (await sessionObject(jmap, principal, base)).state,
  }
}

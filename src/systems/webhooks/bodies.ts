import { createHmac } from 'node:crypto';
import { paths } from '../../model/api-paths.ts';
import type { Announcement } from '../../model/events.ts';
import type { AdobeWebhook, EventName } from '../../model/schema/definition.ts';

/** What is sent: in Adobe's form, and as a line of text. */

const NS = 'https://ns.adobe.com/experience/cloudmanager';

const types: Readonly<Record<EventName, readonly [object: string, type: string]>> = {
  executionStarted: ['pipeline-execution', 'started'],
  stepStarted: ['execution-step-state', 'started'],
  stepWaiting: ['execution-step-state', 'waiting'],
  stepEnded: ['execution-step-state', 'ended'],
  executionEnded: ['pipeline-execution', 'ended'],
};

/** As Adobe's schema of Cloud Manager's events has it. `apiUrl`: where receivers reach the HTTP API. */
export function adobeBody(
  { id, event, at, step, by, programId, pipelineId, executionId }: Announcement,
  { clientId, imsOrgId }: Pick<AdobeWebhook, 'clientId' | 'imsOrgId'>,
  apiUrl: string,
): string {
  const [object, type] = types[event];
  const execution = paths.execution(programId, pipelineId, executionId);
  return JSON.stringify({
    event_id: id,
    recipient_client_id: clientId,
    event: {
      '@id': `urn:oeid:cloudmanager:${id}`,
      '@type': `${NS}/event/${type}`,
      'xdmEventEnvelope:objectType': `${NS}/${object}`,
      'activitystreams:published': at,
      'activitystreams:to': { '@type': 'xdmImsOrg', 'xdmImsOrg:id': imsOrgId },
      ...(by === undefined
        ? {}
        : { 'activitystreams:actor': { '@type': 'xdmImsUser', 'xdmImsUser:id': by } }),
      'activitystreams:object': {
        '@id': apiUrl + (step ? paths.step(execution, step.phaseId, step.id) : execution),
        '@type': `${NS}/${object}`,
      },
    },
  });
}

/** Names that others chose must neither call everybody in a channel nor look like a link. */
export const slackBody = ({ text }: Announcement): string =>
  JSON.stringify({ text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') });

/** HMAC-SHA256 of the body, in base64: what the receivers of Cloud Manager's tutorial compare `x-adobe-signature` with. */
export const signatureOf = (body: string, secret: string): string =>
  createHmac('sha256', secret).update(body).digest('base64');

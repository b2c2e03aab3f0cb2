import type { NodeActivities, NodeRef, PathFlushed } from '../model/activities.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { backUp } from '../systems/httpd/backup.ts';
import { flushPath } from '../systems/httpd/flush.ts';
import { hostFor } from '../systems/httpd/package.ts';
import { checkHost, preflight } from '../systems/httpd/preflight.ts';
import { reloadReplaced, replace, testReplaced } from '../systems/httpd/replace.ts';
import { reconcile, restore } from '../systems/httpd/restore.ts';
import type { HttpdSettings, Log } from '../systems/httpd/settings.ts';
import { explained } from '../systems/httpd/sync.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { turns } from '../systems/turns.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { prepareHost, type HostWays } from './preflight.ts';
import { stepLog } from './step-log.ts';

/** What the agent on a dispatcher host does, one thing at a time. */
export function nodeActivities(deps: {
  /** The node that this agent serves; tasks for another one are refused. */
  readonly node: NodeRef;
  readonly host: HttpdSettings;
  readonly storage: Storage;
}): NodeActivities {
  const { node, host, storage } = deps;
  // An attempt given up by the server may still be at work.
  const inTurn = turns(1);

  const work = <T>(
    input: { node: NodeRef; log: string },
    action: (log: Log, signal: AbortSignal) => Promise<T>,
  ) => {
    refuseOthers(node, input.node);
    const log = stepLog(storage, input.log, node.nodeId);
    return whileHeartbeating((signal) =>
      inTurn(async () => {
        signal.throwIfAborted();
        try {
          return await action(log, signal);
        } catch (thrown) {
          const error = explained(thrown, host.stateFolder);
          const words = error instanceof Failure ? [messageOf(error), ...error.details] : [messageOf(error)];
          await unfailing(log)(signal.aborted ? 'interrupted' : words.join('\n'));
          throw error;
        }
      }),
    );
  };

  return {
    checkAgent: async (input) => {
      refuseOthers(node, input.node);
      return whileHeartbeating((signal) => checkHost(host, signal));
    },
    prepareConfiguration: async (input) =>
      work(input, async (log, signal) => {
        const ways: HostWays = {
          reconcile: () => reconcile(host, unfailing(log), signal),
          preflight: ({ deployment, artifact }) =>
            preflight(hostFor(host, artifact), storage, deployment, artifact, log, signal),
        };
        const prepared = await prepareHost(input, ways, signal);
        if (prepared.trouble) await unfailing(log)(prepared.trouble.message);
        return prepared;
      }),
    backUpConfiguration: async (input) =>
      work(input, (log, signal) => backUp(hostFor(host, input.artifact), input.deployment, log, signal)),
    replaceConfiguration: async (input) =>
      work(input, (log, signal) => replace(host, storage, input.deployment, input.artifact, log, signal)),
    testConfiguration: async (input) =>
      work(input, (log, signal) => testReplaced(host, input.deployment, log, signal)),
    reloadHttpd: async (input) =>
      work(input, (log, signal) => reloadReplaced(host, input.deployment, log, signal)),
    restoreConfiguration: async (input) =>
      work(input, (log, signal) => restore(host, input.deployment, unfailing(log), signal)),
    flushPaths: async (input) =>
      work(input, async (log, signal) => {
        const results: PathFlushed[] = [];
        for (const action of ['flush', 'invalidate'] as const)
          for (const path of input[action]) {
            // A dispatcher that did not answer will not answer the next hundred paths either.
            const silent = results.find(({ unanswered }) => unanswered);
            const result = silent
              ? {
                  path,
                  action,
                  ok: false,
                  answer: `not sent: no answer for ${silent.path}`,
                  unanswered: true,
                }
              : await flushPath(host, action, path, signal);
            await log(`${action} ${path}: ${result.ok ? '' : 'FAILED, '}${result.answer}`);
            results.push(result);
          }
        return results;
      }),
  };
}

/** A node is made good even while its log cannot be written. */
const unfailing =
  (log: Log): Log =>
  (line) =>
    log(line).catch(() => undefined);

function refuseOthers(own: NodeRef, asked: NodeRef): void {
  const label = ({ programId, environmentId, nodeId }: NodeRef) =>
    `${nodeId} of environment ${environmentId}, program ${programId}`;
  if (label(own) !== label(asked))
    throw new Failure(
      'InvalidInput',
      `this agent serves ${label(own)} and was asked for ${label(asked)}: check the task queue in its settings`,
    );
}

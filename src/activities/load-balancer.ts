import type { Activities, LoadBalancerInput } from '../model/activities.ts';
import { Failure, messageOf } from '../systems/failure.ts';
import { attach } from '../systems/load-balancer/attach.ts';
import { detach } from '../systems/load-balancer/detach.ts';
import { haproxy } from '../systems/load-balancer/haproxy.ts';
import { probeOnce, untilHealthy } from '../systems/load-balancer/probe.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

type Offered =
  'preflightLoadBalancer' | 'outOfService' | 'detachDispatcher' | 'attachDispatcher' | 'probeDispatcher';

export const loadBalancerActivities = ({ storage }: { storage: Storage }): Pick<Activities, Offered> => ({
  async preflightLoadBalancer({ loadBalancer, dispatchers }) {
    const { backend } = loadBalancer;
    const servers = await haproxy(loadBalancer)
      .servers()
      .catch((error: unknown) => messageOf(error));
    if (typeof servers === 'string') return [servers];
    return dispatchers.flatMap(({ id, server }) => {
      const state = servers.find(({ name }) => name === server);
      if (!state)
        return [
          `dispatcher ${id}: backend ${backend} has no server ${server}, it has ` +
            `${servers.map(({ name }) => name).join(', ') || 'none'}: correct "server" of the dispatcher`,
        ];
      return state.status === 'unchecked'
        ? [`dispatcher ${id}: backend ${backend} does not check ${server}: configure a health check for it`]
        : [];
    });
  },

  async outOfService({ loadBalancer, dispatchers }) {
    const servers = await haproxy(loadBalancer).servers();
    return dispatchers
      .filter(({ server }) => servers.find(({ name }) => name === server)?.status !== 'up')
      .map(({ id }) => id);
  },

  detachDispatcher: ({ loadBalancer, dispatcher, log }) =>
    whileHeartbeating(async (signal, beat) => {
      const say = sayer({ storage, log, dispatcher, beat });
      try {
        await detach(haproxy(loadBalancer), dispatcher.server, { signal, onProgress: say.line });
      } finally {
        await say.written();
      }
      return { at: new Date().toISOString() };
    }),

  attachDispatcher: ({ loadBalancer, dispatcher, probe, log, whateverItAnswers }) =>
    whileHeartbeating(async (signal, beat) => {
      const say = sayer({ storage, log, dispatcher, beat });
      try {
        if (whateverItAnswers) {
          say.line('returning to service whatever it answers: nothing else could serve');
          await haproxy(loadBalancer).ready(dispatcher.server);
          return { at: new Date().toISOString() };
        }
        say.line(`probing ${dispatcher.url}${probe.path}`);
        await untilHealthy(dispatcher.url, probe, { signal });
        const at = await attach(haproxy(loadBalancer), dispatcher.server, { signal, onProgress: say.line });
        return { at: at.toISOString() };
      } catch (error) {
        // Worth trying for as long as the workflow's policy says: lost capacity is worse than waiting.
        if (error instanceof Failure && error.type === 'NotReady')
          throw new Failure('Unavailable', error.message, { cause: error.cause, details: error.details });
        throw error;
      } finally {
        await say.written();
      }
    }),

  probeDispatcher: ({ dispatcher, probe }) =>
    whileHeartbeating((signal) => probeOnce(dispatcher.url, probe, { pastCache: true, signal })),
});

/** Lines for the log, in order, each also the detail of the next heartbeats. */
function sayer(
  to: Pick<LoadBalancerInput, 'log' | 'dispatcher'> & { storage: Storage; beat: (detail: unknown) => void },
) {
  const append = stepLog(to.storage, to.log, to.dispatcher.id);
  let written = Promise.resolve();
  return {
    line: (text: string) => {
      to.beat(text);
      written = written.then(() => append(text));
      written.catch(() => undefined); // whoever waits for `written` gets it
    },
    written: () => written,
  };
}

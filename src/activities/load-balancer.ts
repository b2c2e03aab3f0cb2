import type { Activities, LoadBalancerInput } from '../model/activities.ts';
import { Failure } from '../systems/failure.ts';
import { attach } from '../systems/load-balancer/attach.ts';
import { detach } from '../systems/load-balancer/detach.ts';
import { loadBalancerOf } from '../systems/load-balancer/choose.ts';
import { probeOnce, untilHealthy } from '../systems/load-balancer/probe.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

type Offered = 'detachDispatcher' | 'attachDispatcher' | 'probeDispatcher';

export const loadBalancerActivities = ({ storage }: { storage: Storage }): Pick<Activities, Offered> => ({
  detachDispatcher: ({ loadBalancer, dispatcher, log }) =>
    whileHeartbeating(async (signal, beat) => {
      const say = sayer({ storage, log, dispatcher, beat });
      try {
        await detach(loadBalancerOf(loadBalancer, [dispatcher]), dispatcher.server, {
          signal,
          onProgress: say.line,
        });
      } catch (error) {
        throw worthTrying(error);
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
          await loadBalancerOf(loadBalancer, [dispatcher]).ready(dispatcher.server);
          return { at: new Date().toISOString() };
        }
        say.line(`probing ${dispatcher.url}${probe.path}`);
        await untilHealthy(dispatcher.url, probe, { signal });
        const at = await attach(loadBalancerOf(loadBalancer, [dispatcher]), dispatcher.server, {
          signal,
          onProgress: say.line,
        });
        return { at: at.toISOString() };
      } catch (error) {
        throw worthTrying(error);
      } finally {
        await say.written();
      }
    }),

  probeDispatcher: ({ dispatcher, probe }) =>
    whileHeartbeating((signal) => probeOnce(dispatcher.url, probe, { pastCache: true, signal })),
});

/** For as long as the workflow's policy says: lost capacity is worse than waiting. */
const worthTrying = (error: unknown): unknown =>
  error instanceof Failure && error.type === 'NotReady'
    ? new Failure('Unavailable', error.message, { cause: error.cause, details: error.details })
    : error;

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

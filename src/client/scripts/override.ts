import { FairwayError } from '../fairway-error.ts';
import { gateSteps } from '../../model/messages.ts';
import { me, script } from './script.ts';

/** `override.ts EXECUTION accept|reject`: accepts or rejects all failing important metrics that it waits for. */
await script('EXECUTION accept|reject', async (fairway, [id, answer]) => {
  const execution = await fairway.findExecution(id);
  const { waitingFor, steps } = await fairway.execution(execution);
  const step = gateSteps.find((gate) => gate === waitingFor?.step);
  if (!step) throw new FairwayError('refused', 'the execution is not waiting for its metrics');
  const failing = (steps.find((known) => known.id === step)?.metrics ?? []).filter(
    ({ severity, passed }) => severity === 'important' && !passed,
  );
  const metrics = failing.map(({ kpi }) => ({ kpi, override: answer === 'accept' }));
  console.log(await fairway.send('override', execution, { by: me, step, metrics }));
});

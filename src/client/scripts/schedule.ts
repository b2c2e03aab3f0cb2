import { me, script } from './script.ts';

/**
 * `schedule.ts EXECUTION TIME`: when its production deployment begins. TIME is `NOW`, or ISO 8601 with an offset:
 * `2026-11-30T22:00:00+01:00`. Sending it confirms it.
 */
await script('EXECUTION TIME', async (fairway, [id, at = '']) => {
  const execution = await fairway.findExecution(id);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  console.log(await fairway.send('schedule', execution, { by: me, at, timeZone }));
});

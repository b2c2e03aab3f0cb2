import { me, script } from './script.ts';

/** `cancel.ts EXECUTION [REASON]`: cancels it; every node is left serving. */
await script('EXECUTION [REASON]', async (fairway, [id, reason]) => {
  const execution = await fairway.findExecution(id);
  console.log(await fairway.send('cancel', execution, { by: me, reason }));
});

import { me, script } from './script.ts';

/** `cse.ts EXECUTION start|refuse [COMMENT]`: what a Customer Success Engineer says of its production deployment. */
await script('EXECUTION start|refuse [COMMENT]', async (fairway, [id, answer, comment]) => {
  const execution = await fairway.findExecution(id);
  console.log(await fairway.send('cseSupport', execution, { by: me, start: answer === 'start', comment }));
});

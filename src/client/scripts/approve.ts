import { me, script } from './script.ts';

/** `approve.ts EXECUTION yes|no [COMMENT]`: approves or rejects its production deployment. */
await script('EXECUTION yes|no [COMMENT]', async (fairway, [id, answer, comment]) => {
  const execution = await fairway.findExecution(id);
  const approved = answer === 'yes';
  console.log(await fairway.send('approve', execution, { by: me, approved, comment }));
});

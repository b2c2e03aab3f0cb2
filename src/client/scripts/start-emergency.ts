import { me, script } from './script.ts';

/** `start-emergency.ts PIPELINE`: starts an execution without security and performance tests, where a CSE activated emergency mode. PIPELINE is an id or a unique name. */
await script('PIPELINE', async (fairway, [nameOrId = '']) => {
  const { program, thing: pipeline } = await fairway.findPipeline(nameOrId);
  const { executionId } = await fairway.start({
    programId: program.id,
    pipelineId: pipeline.id,
    mode: 'EMERGENCY',
    by: me,
  });
  console.log(`execution ${executionId} of ${program.name}, ${pipeline.name} has begun in emergency mode`);
});

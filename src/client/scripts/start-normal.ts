import { me, script } from './script.ts';

/** `start-normal.ts PIPELINE`: starts an execution. PIPELINE is an id or a unique name. */
await script('PIPELINE', async (fairway, [nameOrId = '']) => {
  const { program, thing: pipeline } = await fairway.findPipeline(nameOrId);
  const { executionId } = await fairway.start({
    programId: program.id,
    pipelineId: pipeline.id,
    mode: 'NORMAL',
    by: me,
  });
  console.log(`execution ${executionId} of ${program.name}, ${pipeline.name} has begun`);
});

import { Command } from 'commander';
import type { DeploymentProgress } from '../model/deployment.ts';
import { deploymentLines } from './execution-text.ts';
import { clean } from './output.ts';
import type { Exit } from './problem.ts';
import { action, examples } from './session.ts';

const repair = () =>
  new Command('repair')
    .description(
      'Make good what an interrupted deployment or a fault left behind, without deploying anything',
    )
    .argument('<environment>', 'id or unique name; PROGRAM/ENVIRONMENT where it is not unique')
    .addHelpText('after', examples('fairway environment repair Production'))
    .action(
      action(async (session, reference: string): Promise<Exit> => {
        const client = await session.direct();
        const { program, thing } = await client.findEnvironment(reference);
        let said = '';
        const say = ({ now }: DeploymentProgress) => {
          if (now !== said) session.note(`${clean(thing.name)}: ${clean((said = now))}`);
        };
        const outcome = await client.repair(program.id, thing.id, session.by, say);
        const remaining = outcome.remaining ?? [];
        await session.answer(outcome, () => [
          ...deploymentLines(outcome, session.paint),
          ...remaining.map((line) => session.paint('red', `  to be seen to: ${clean(line)}`)),
          ...(remaining.length + outcome.reconciled.length === 0 ? ['  nothing was to be done'] : []),
        ]);
        return remaining.length > 0 ? 'failed' : 'finished';
      }),
    );

export const environmentCommand = (): Command =>
  new Command('environment').description('Look after an environment').addCommand(repair());

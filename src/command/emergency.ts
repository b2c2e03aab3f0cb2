import { Command } from 'commander';
import { clean } from './output.ts';
import { action, examples } from './session.ts';

const command = (name: string, description: string, activated: boolean) =>
  new Command(name)
    .description(description)
    .argument('<program>', 'id or unique name')
    .addHelpText('after', examples(`fairway emergency ${name} 1001`))
    .action(
      action(async (session, reference: string) => {
        const client = await session.client();
        const { definition } = await client.findProgram(reference);
        const state = await client.setEmergency(definition.id, activated, session.by);
        const { id, name: programName } = definition;
        const by = state.emergency?.by ? `, by ${clean(state.emergency.by.subject)}` : '';
        await session.answer({ programId: id, emergency: state.emergency }, () => [
          `emergency mode is ${activated ? 'activated' : 'not activated any more'} for program ${id} (${clean(programName)})${by}`,
        ]);
      }),
    );

export const emergencyCommand = (): Command =>
  new Command('emergency')
    .description(
      'Let executions of a program run in emergency mode, or no longer; for Customer Success Engineers',
    )
    .addCommand(command('enable', 'Activate emergency mode for a program', true))
    .addCommand(command('disable', 'Deactivate it; running executions go on', false));

import { Command, CommanderError, Option } from 'commander';
import { apiCommand } from './api.ts';
import { artifactsCommand } from './artifacts.ts';
import { applyCommand } from './apply.ts';
import { approveCommand, rejectCommand } from './approve.ts';
import { cancelCommand } from './cancel.ts';
import { codecServerCommand } from './codec-server.ts';
import { completionCommand } from './completion.ts';
import { cseCommand } from './cse.ts';
import { deleteCommand } from './delete.ts';
import { doctorCommand } from './doctor.ts';
import { emergencyCommand } from './emergency.ts';
import { environmentCommand } from './environment.ts';
import { getCommand } from './get.ts';
import { listCommand } from './list.ts';
import { logsCommand } from './logs.ts';
import { formats } from './output.ts';
import { overrideCommand } from './override.ts';
import { exitCodes, explained } from './problem.ts';
import { resultsCommand } from './results.ts';
import { scanCommand } from './scan.ts';
import { scheduleCommand } from './schedule.ts';
import { schemaCommand } from './schema.ts';
import { setupCommand } from './setup.ts';
import { examples, Root, type Surroundings } from './session.ts';
import { showCommand } from './show.ts';
import { startCommand } from './start.ts';
import { tokenCommand } from './token.ts';
import { variablesCommand } from './variables.ts';
import { waitingCommand } from './waiting.ts';
import { watchCommand } from './watch.ts';
import { webhooksCommand } from './webhooks.ts';
import { agentCommand, workerCommand } from './worker.ts';

const groups: readonly [string, readonly (() => Command)[]][] = [
  ['Define:', [applyCommand, getCommand, deleteCommand, schemaCommand, variablesCommand, emergencyCommand]],
  [
    'Run and look:',
    [startCommand, watchCommand, listCommand, showCommand, logsCommand, resultsCommand, artifactsCommand],
  ],
  [
    'Decide:',
    [
      waitingCommand,
      approveCommand,
      rejectCommand,
      scheduleCommand,
      cseCommand,
      overrideCommand,
      cancelCommand,
    ],
  ],
  ['Serve:', [workerCommand, agentCommand, apiCommand, codecServerCommand, tokenCommand]],
  [
    'Look after it:',
    [setupCommand, environmentCommand, webhooksCommand, scanCommand, doctorCommand, completionCommand],
  ],
];

/** The whole command, for its own use and for the completion of shells. */
export function fairway(surroundings: Surroundings = process): Root {
  const program = new Root('fairway', surroundings);
  program
    .description(
      'Deploys code to Adobe Experience Manager: define pipelines, start executions, decide, watch.',
    )
    .addOption(
      new Option('-o, --output <format>', 'how to show the answer').choices(formats).default('table'),
    )
    .option('--profile <name>', "profile of Temporal's configuration file to connect with")
    .option('--config <file>', 'settings file (FAIRWAY_CONFIG); else the nearest .fairway/config.json')
    .option('--as <name>', 'who acts; the user of this machine otherwise')
    .option(
      '--api <url>',
      'use the HTTP API at this address instead of Temporal (FAIRWAY_API), with the token in FAIRWAY_TOKEN',
    )
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => surroundings.stdout.write(text),
      writeErr: (text) => surroundings.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'fairway: ')),
    })
    .showHelpAfterError('  (add --help for usage and examples)')
    .exitOverride()
    .helpOption('-h, --help', 'show help')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('Show help of a command')
        .helpGroup('Look after it:'),
    );
  for (const [heading, commands] of groups) {
    program.commandsGroup(heading);
    for (const command of commands) program.addCommand(inherited(command(), program));
  }
  program.addHelpText(
    'after',
    `${examples(
      'fairway apply -f fairway.yaml              define a program',
      'fairway start Production --watch           start an execution and watch it',
      'fairway waiting                            what waits for a person',
      'fairway approve 0000000007                 decide',
    )}

PIPELINE and EXECUTION are ids or unique names; EXECUTION may be left out where only one can be meant.
Exit codes: 0 finished, 1 failed, 2 usage, 3 refused, 4 not found, 5 unavailable or outcome unknown.`,
  );
  return program;
}

/** Commands that were made by themselves behave as those of `program`; `--help` is enough below them. */
function inherited(command: Command, program: Command): Command {
  command.copyInheritedSettings(program).helpCommand(false);
  command.commands.forEach((sub) => inherited(sub, command));
  return command;
}

/** Runs a command line. @returns the exit code */
export async function main(args: readonly string[], surroundings: Surroundings = process): Promise<number> {
  const command = fairway(surroundings);
  try {
    await command.parseAsync(args, { from: 'user' });
    return exitCodes[command.exit];
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.finished : exitCodes.usage;
    const { lines, exit } = explained(error);
    surroundings.stderr.write(lines.map((line) => `${line}\n`).join(''));
    return exitCodes[exit];
  }
}

import { Command } from 'commander';
import type { Finding } from '../client/doctor/finding.ts';
import { clean } from './output.ts';
import { explained, isFairwayError, type Exit } from './problem.ts';
import { action, examples, type Session } from './session.ts';

const marks = { good: '✓', bad: '✗', note: '–' } as const;
const styles = { good: 'green', bad: 'red', note: 'yellow' } as const;

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description('Look at Temporal, workers, storage, tools, environments and credentials; name what to do')
    .addHelpText('after', examples('fairway doctor', 'fairway doctor -o json'))
    .action(
      action(async (session): Promise<Exit> => {
        const { findings, exit } = await examine(session);
        await session.answer(findings, () =>
          findings.flatMap((finding, index) => lines(finding, findings[index - 1])),
        );
        return exit;

        function lines({ area, what, state, found, remedy }: Finding, before: Finding | undefined): string[] {
          const { paint } = session;
          return [
            ...(area === before?.area ? [] : [paint('bold', area)]),
            `  ${paint(styles[state], marks[state])} ${clean(what)}: ${clean(found)}`,
            ...(remedy ? [`      ${paint('cyan', clean(remedy))}`] : []),
          ];
        }
      }),
    );

async function examine(session: Session): Promise<{ findings: Finding[]; exit: Exit }> {
  const [machine, codeScanner, environments, temporal, { secrets }] = await Promise.all([
    import('../client/doctor/machine.ts'),
    import('../client/doctor/code-scanner.ts'),
    import('../client/doctor/environments.ts'),
    import('../client/doctor/temporal.ts'),
    import('../systems/secrets.ts'),
  ]);
  const secret = secrets({ env: session.io.env, folder: session.secrets });
  const here = [
    await machine.storageFinding(session.storage),
    ...(await machine.toolFindings()),
    await machine.keyFinding(secret),
  ];
  let client;
  try {
    client = await session.direct();
  } catch (error) {
    if (!isFairwayError(error)) throw error;
    const { lines, exit } = explained(error);
    const [found = '', ...rest] = lines.map((line) => line.replace(/^fairway: /, '').trim());
    const remedy = rest.join('; ') || 'start one: npm start runs a local one; or name its address';
    return { findings: [{ area: 'Temporal', what: 'server', state: 'bad', found, remedy }, ...here], exit };
  }
  const server = await temporal.temporalFindings(client.temporal);
  // Without its namespace there is nobody to ask about anything else.
  if (server.some(({ state, what }) => state === 'bad' && what.startsWith('namespace')))
    return { findings: [...server, ...here], exit: 'failed' };
  const programs = await client.programs().catch(() => undefined);
  const definitions = (programs ?? []).map(({ definition }) => definition);
  const findings: Finding[] = [
    ...server,
    ...(await temporal.workerFindings(client.temporal, definitions)),
    ...here.filter(({ area }) => area !== 'Credentials'),
    ...(programs ? [] : [unread]),
    ...(
      await Promise.all(
        definitions.flatMap((program) => program.environments).map(environments.environmentFindings),
      )
    ).flat(),
    ...(
      await Promise.all(definitions.map((program) => environments.clusterFindings(program, secret)))
    ).flat(),
    ...(
      await Promise.all(definitions.map((program) => codeScanner.codeScannerFindings(program, secret)))
    ).flat(),
    ...(
      await Promise.all(definitions.map((program) => environments.credentialFindings(program, secret)))
    ).flat(),
    ...here.filter(({ area }) => area === 'Credentials'),
  ];
  return { findings, exit: findings.some(({ state }) => state === 'bad') ? 'failed' : 'finished' };
}

const unread: Finding = {
  area: 'Environments',
  what: 'all of them',
  state: 'note',
  found: 'not looked at: without a worker nobody says what is defined',
  remedy: 'start a worker, then ask again',
};

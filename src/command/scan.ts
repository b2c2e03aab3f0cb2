import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { findingSeverities, type FindingSeverity } from '../model/findings.ts';
import type { Format } from '../systems/scan/output/format.ts';
import type { Flavour } from '../systems/scan/rule.ts';
import { clean } from './output.ts';
import { Problem, type Exit } from './problem.ts';
import { action, examples } from './session.ts';

interface Options {
  readonly format?: Format;
  readonly failOn: string;
  readonly flavour?: Flavour;
}

export const scanCommand = (): Command =>
  new Command('scan')
    .description('Look through a project, a content package or a dispatcher package with the rules for AEM')
    .argument('<dir|zip>', 'a project folder or a zip')
    .addOption(
      new Option('--format <format>', 'how to show what is found').choices(['table', 'sarif', 'csv', 'json']),
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 when something of this severity or worse is found')
        .choices(findingSeverities.map((severity) => severity.toLowerCase()))
        .default('minor'),
    )
    .addOption(
      new Option(
        '--flavour <flavour>',
        'Managed Services or Cloud Service; else as the dispatcher configuration has it',
      ).choices(['ams', 'cloud']),
    )
    .addHelpText(
      'after',
      examples(
        'fairway scan .',
        'fairway scan . --format sarif > fairway.sarif',
        'fairway scan all/target/site.all-1.0.0.zip --fail-on critical',
      ),
    )
    .action(
      action(async (session, target: string, options: Options): Promise<Exit> => {
        const [{ scan }, { formatFindings }] = await Promise.all([
          import('../systems/scan/scan.ts'),
          import('../systems/scan/output/format.ts'),
        ]);
        const { findings } = await scan(resolve(session.io.cwd(), target), {
          ...(options.flavour && { flavour: options.flavour }),
          log: (line) => session.note(clean(line)),
        }).catch((error: unknown) => {
          throw asProblem(error);
        });
        const format = options.format ?? (session.format === 'table' ? 'table' : 'json');
        session.io.stdout.write(formatFindings(findings, format, await version()));
        const limit = findingSeverities.indexOf(options.failOn.toUpperCase() as FindingSeverity);
        return findings.some(({ severity }) => findingSeverities.indexOf(severity) <= limit)
          ? 'failed'
          : 'finished';
      }),
    );

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What `scan` throws says by its type which exit code it is. */
function asProblem(error: unknown): unknown {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (type !== 'Missing' && type !== 'InvalidInput') return error;
  return new Problem(type === 'Missing' ? 'notFound' : 'usage', (error as Error).message);
}

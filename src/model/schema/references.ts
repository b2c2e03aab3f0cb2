import type { z } from 'zod';
import type { Environment } from './environment.ts';
import type { Pipeline } from './pipeline.ts';

interface Parts {
  readonly environments: readonly Environment[];
  readonly pipelines: readonly Pipeline[];
  readonly webhooks?: readonly { readonly id: string }[];
}
type Path = (string | number)[];
type Report = (path: Path, message: string) => void;

/** What one part of a program says of another: ids are unique, and whatever is named exists and is of the right kind. */
export function checkReferences(program: Parts, context: z.RefinementCtx): void {
  const problem: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  unique(program.environments, 'environment', problem);
  unique(program.pipelines, 'pipeline', problem);
  unique(program.webhooks ?? [], 'webhook', problem);
  program.environments.forEach((environment, index) =>
    checkNodes(environment, ['environments', index], problem),
  );
  program.pipelines.forEach((pipeline, index) =>
    checkEnvironments(pipeline, program.environments, ['pipelines', index], problem),
  );
}

function unique(things: readonly { id: string }[], what: string, problem: Report): void {
  things.forEach(({ id }, index) => {
    if (things.findIndex((other) => other.id === id) !== index)
      problem([`${what}s`, index, 'id'], `${what} ${id} is defined twice; give each an id of its own`);
  });
}

function checkNodes(environment: Environment, path: Path, problem: Report): void {
  const { author, publish, dispatchers, loadBalancer, type, id } = environment;
  const nodes = [...author, ...publish, ...dispatchers].map((node) => node.id);
  const twice = nodes.find((node, index) => nodes.indexOf(node) !== index);
  if (twice) problem(path, `node ${twice} is defined twice; give each an id of its own`);
  const servers = dispatchers.map(({ server }) => server);
  dispatchers.forEach((dispatcher, index) => {
    const place = [...path, 'dispatchers', index];
    if (servers.indexOf(dispatcher.server) !== index)
      problem(
        [...place, 'server'],
        `server ${dispatcher.server} is another dispatcher's: taking one out of service would take out both`,
      );
    if (!publish.some((instance) => instance.id === dispatcher.publish))
      problem(
        [...place, 'publish'],
        `there is no publish instance ${dispatcher.publish} in environment ${id}; it has ${listed(publish)}`,
      );
  });
  if (type === 'prod' && dispatchers.length > 0 && !loadBalancer)
    problem([...path, 'loadBalancer'], 'a production environment with dispatchers needs one');
}

const fields = {
  stageEnvironment: 'stage',
  productionEnvironment: 'prod',
  devEnvironment: 'dev',
} as const;

function checkEnvironments(
  pipeline: Pipeline,
  environments: readonly Environment[],
  path: Path,
  problem: Report,
): void {
  for (const [field, type] of Object.entries(fields)) {
    const id = (pipeline as Partial<Record<string, unknown>>)[field];
    if (typeof id !== 'string') continue;
    const found = environments.find((environment) => environment.id === id);
    const fit = listed(environments.filter((environment) => environment.type === type));
    if (!found) problem([...path, field], `there is no environment ${id}; of type ${type} there are: ${fit}`);
    else if (found.type !== type)
      problem(
        [...path, field],
        `environment ${id} is of type ${found.type}; it must be of type ${type}: ${fit}`,
      );
  }
}

const listed = (things: readonly { id: string; name?: string }[]): string =>
  things.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(', ') || 'none';

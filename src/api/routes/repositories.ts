import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { DefinedProgram } from '../../client/catalogue.ts';
import { links, paths } from '../hal.ts';
import { Problem } from '../problem.ts';
import { inProgram, programAt, type Routes } from '../route.ts';
import { branchList, repository, repositoryList } from '../schemas.ts';

const inRepository = inProgram.extend({ repositoryId: z.string().max(18) });

/** A repository is what pipelines build from: it has no definition of its own, its id is made of its address. */
const idOf = (url: string): string =>
  String(Number.parseInt(createHash('sha256').update(url).digest('hex').slice(0, 12), 16));

const repositoriesOf = ({ definition: { id: programId, pipelines } }: DefinedProgram) =>
  [...new Set(pipelines.map((pipeline) => pipeline.repository.url))].map((repositoryUrl) => {
    const id = idOf(repositoryUrl);
    const self = `${paths.program(programId)}/repository/${id}`;
    const repo = repositoryUrl.replace(/\/+$/, '').split(/[/:]/).at(-1) ?? repositoryUrl;
    return {
      ...{ id, programId, repo, status: 'ready' as const, repositoryUrl },
      _links: links(self, { program: paths.program(programId), branches: `${self}/branches` }),
    };
  });

/** Repositories of a program, and the branches that are in them now. */
export const repositoryRoutes: Routes = (app, { client }) => {
  const config = { operation: 'read' } as const;
  const one = '/api/program/:programId/repository/:repositoryId';

  /** @throws Problem 404 */
  const repositoryAt = async (address: z.infer<typeof inRepository>) => {
    const known = repositoriesOf(await programAt(client, address));
    const found = known.find(({ id }) => id === address.repositoryId);
    if (found) return found;
    throw new Problem(404, `program ${address.programId} has no such repository`);
  };

  app.get(
    '/api/program/:programId/repositories',
    { config, schema: { params: inProgram, response: { 200: repositoryList } } },
    async ({ params }) => {
      const repositories = repositoriesOf(await programAt(client, params));
      return {
        _totalNumberOfItems: repositories.length,
        _embedded: { repositories },
        _links: links(`${paths.program(params.programId)}/repositories`),
      };
    },
  );

  app.get(
    one,
    { config, schema: { params: inRepository, response: { 200: repository } } },
    async ({ params }) => repositoryAt(params),
  );

  app.get(
    `${one}/branches`,
    { config, schema: { params: inRepository, response: { 200: branchList } } },
    async ({ params }) => {
      const { id, programId, repositoryUrl } = await repositoryAt(params);
      const names = await client.branches(repositoryUrl);
      return {
        _totalNumberOfItems: names.length,
        _embedded: { branches: names.map((name) => ({ programId, repositoryId: id, name })) },
        _links: links(`${paths.program(programId)}/repository/${id}/branches`),
      };
    },
  );
};

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { CloudManager } from '@adobe/aio-lib-cloudmanager';
import type { JWTPayload } from 'jose';
import { createRepository } from '../../src/local/repository.ts';
import { definition } from '../support/definition.ts';
import type { ApiUnderTest } from './setup.ts';

const pipeline = '/api/program/1/pipeline/101';

/** What a program is made of, changed through the API. */
export function describeCatalogue(on: ApiUnderTest): void {
  const { fairway, ask, ended } = on;
  let deployer: CloudManager;
  before(() => ({ deployer } = on));
  const cancelled = async () => {
    await deployer.cancelCurrentExecution('1', '101');
    await ended();
  };

  describe('programs, environments and pipelines', () => {
    const owner = { sub: 'olga', roles: ['business-owner'] };
    const change = (
      method: 'POST' | 'PUT',
      url: string,
      payload: object,
      claims?: JWTPayload,
      headers = {},
    ) => ask({ method, url, payload, headers }, claims);

    it('are created, changed and removed in the schema of fairway.yaml', async () => {
      await fairway.apply();
      const two = { ...definition(), id: '2', name: 'Second' };
      const created = await change('POST', '/api/programs', two, owner);
      assert.deepEqual([created.statusCode, created.headers.location], [201, '/api/program/2'], created.body);
      assert.equal((await change('POST', '/api/programs', two, owner)).statusCode, 409);
      const kept = (await ask({ url: '/api/program/2/definition' }, owner)).json<{ pipelines: object[] }>();
      const third = { ...kept.pipelines[0], id: '102', name: 'Another' };
      const added = await change('POST', '/api/program/2/pipelines', third);
      assert.deepEqual([added.statusCode, added.json<{ name: string }>().name], [201, 'Another'], added.body);
      assert.equal((await change('POST', '/api/program/2/pipelines', third)).statusCode, 409);
      const named = await change('PUT', '/api/program/2/pipeline/102', { ...third, name: 'Renamed' });
      assert.equal(named.json<{ name: string }>().name, 'Renamed');
      const stale = await change('PUT', '/api/program/2/pipeline/102', third, {}, { 'if-match': '"1"' });
      assert.deepEqual([stale.statusCode, /changed meanwhile/.test(stale.body)], [409, true]);
      const other = await change('PUT', '/api/program/2/pipeline/102', { ...third, id: '103' });
      assert.equal(other.statusCode, 400);
      const wrong = await change('PUT', '/api/program/2/pipeline/102', { ...third, stageEnvironment: '12' });
      assert.deepEqual([wrong.statusCode, /stageEnvironment/.test(wrong.body)], [400, true], wrong.body);
      const dev = { ...two.environments[0], id: '13', name: 'Dev', type: 'dev' };
      assert.equal((await change('POST', '/api/program/2/environments', dev)).statusCode, 201);
      const renamed = await change('PUT', '/api/program/2/environment/13', { ...dev, name: 'Try' });
      assert.equal(renamed.json<{ name: string }>().name, 'Try', renamed.body);
      await deployer.deleteEnvironment('2', '13');
      await assert.rejects(deployer.deleteEnvironment('2', '11'), /400/);
      await deployer.deletePipeline('2', '102');
      await assert.rejects(deployer.deleteProgram('2'), /403/);
      await (await on.as('olga', 'business-owner')).deleteProgram('2');
      assert.equal((await ask({ url: '/api/program/2' })).statusCode, 404);
    });

    it('a program may want verified people, and somebody else to approve what one has started', async () => {
      fairway.world.begin();
      await fairway.apply({ deciders: { verifiedActors: true, notByStarter: true } });
      const ann = { subject: 'ann', via: 'test', verified: false };
      const unproved = /nothing proves that this is ann/;
      await assert.rejects(
        fairway.client.start({ programId: '1', pipelineId: '101', mode: 'NORMAL', by: ann }),
        unproved,
      );
      await assert.rejects(fairway.client.setEmergency('1', true, ann), unproved);
      const { id: executionId } = await deployer.createExecution('1', '101');
      await fairway.waitsAt('approval');
      const address = { programId: '1', pipelineId: '101', executionId };
      await assert.rejects(fairway.client.send('approve', address, { by: ann, approved: true }), unproved);
      await assert.rejects(fairway.client.send('cancel', address, { by: ann }), unproved);
      await assert.rejects(deployer.advanceCurrentExecution('1', '101'), /400.*dora started this execution/);
      const step = `${pipeline}/execution/${executionId}/phase/DEPLOY_2/step/approval`;
      const other = { sub: 'olga', roles: ['business-owner'] };
      const approval = await ask(
        { method: 'PUT', url: `${step}/advance`, payload: { approved: true } },
        other,
      );
      assert.equal(approval.statusCode, 202, approval.body);
      await fairway.waitsAt('schedule');
      await cancelled();
      await assert.rejects(fairway.apply(), unproved);
      const program = (await ask({ url: '/api/program/1/definition' })).json<object>();
      const lenient = { ...program, deciders: undefined };
      assert.equal(
        (await ask({ method: 'PUT', url: '/api/program/1', payload: lenient }, other)).statusCode,
        200,
      );
    });

    it('have a tenant, repositories with branches, a cache; logs and variables of AEM are not here', async () => {
      const repository = await createRepository(join(fairway.folder, 'repository'));
      await fairway.apply({}, { repository: { url: repository.url, branch: 'main' } });
      const { _embedded } = (await ask({ url: '/api/program/1/repositories' })).json<{
        _embedded: { repositories: { id: string; repositoryUrl: string }[] };
      }>();
      const [only] = _embedded.repositories;
      assert.equal(only?.repositoryUrl, repository.url);
      const branches = await ask({ url: `/api/program/1/repository/${only?.id}/branches` });
      assert.match(branches.body, new RegExp(`"name":"${repository.branch}"`));
      assert.equal((await ask({ url: '/api/program/1/repository/1/branches' })).statusCode, 404);
      for (const path of ['/api/tenants', '/api/tenant/1', '/api/tenant/1/programs'])
        assert.equal((await ask({ url: path })).statusCode, 200, path);
      await deployer.invalidatePipelineCache('1', '101');
      assert.deepEqual(await deployer.getEnvironmentVariables('1', '11'), []);
      await assert.rejects(
        deployer.setEnvironmentVariables('1', '11', [{ name: 'A', value: '1' }]),
        /400.*keep no/,
      );
      assert.deepEqual(await deployer.downloadLogs('1', '11', 'author', 'aemerror', 1, fairway.folder), []);
    });
  });
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { copyArtifactsActivities } from '../../src/activities/copy-artifacts.ts';
import { validateActivities } from '../../src/activities/validate.ts';
import type { CopyArtifactsInput, ValidateInput, Validation } from '../../src/model/activities.ts';
import type { Artifact } from '../../src/model/artifacts.ts';
import { programSchema } from '../../src/model/schema/definition.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { aemArtifact, definition } from '../support/definition.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('a re-execution', () => {
  const folder = temporaryFolder();
  const storage = () => fileStorage(join(folder(), 'storage'));
  const environment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const [from, to] = ['1/101/0000000001', '1/101/0000000002'];

  describe('copies artifacts', () => {
    const copy = (artifacts: readonly Artifact[]) => {
      const { copyArtifacts } = copyArtifactsActivities({ storage: storage() });
      const input = { from, to, artifacts, log: `${to}/logs/build.log` };
      return environment().run<[CopyArtifactsInput], readonly Artifact[], typeof copyArtifacts>(
        copyArtifacts,
        input,
      );
    };
    const built = async () => {
      const file = await storage().put(`${from}/artifacts/all/site.all.zip`, 'packages');
      return { ...aemArtifact('site.all'), file };
    };

    it('to places of its own', async () => {
      const artifact = await built();
      const key = `${to}/artifacts/all/site.all.zip`;
      assert.deepEqual(await copy([artifact]), [{ ...artifact, file: { ...artifact.file, key } }]);
      assert.equal(await text(await storage().get(key)), 'packages');
    });

    it('that are still what was built, and no others', async () => {
      const artifact = await built();
      await storage().put(artifact.file.key, 'others');
      await assert.rejects(copy([artifact]), {
        type: 'InvalidArtifact',
        message: /no longer the file that was built/,
      });
      const elsewhere = { ...artifact, file: { ...artifact.file, key: '2/201/0000000001/artifacts/x.zip' } };
      await assert.rejects(copy([elsewhere]), { type: 'InvalidInput' });
    });
  });

  describe('is valid', () => {
    const validate = (reExecutes: string) => {
      const activities = validateActivities({
        ...{ storage: storage(), secret: async () => '', allowFileRepositories: false },
        client: undefined as never, // asked about environments only
      });
      const [pipeline] = programSchema.parse(definition()).pipelines;
      const input = {
        programId: '1',
        pipeline: pipeline!,
        environments: [],
        reExecutes,
        log: `${to}/logs/validate.log`,
      };
      const activity = activities.validate;
      return environment().run<[ValidateInput], Validation, typeof activity>(activity, input);
    };
    const recordOf = (prodDeploy: object) =>
      storage().put(
        `${from}/execution.json`,
        JSON.stringify({
          ...{
            executionId: '0000000001',
            commit: 'c0ffee',
            artifactsVersion: '2026.1',
            artifacts: [aemArtifact('site')],
          },
          steps: [{ id: 'prodDeploy', ...prodDeploy }],
        }),
      );

    it('when the production deployment had ended: its commit, version and artifacts are taken', async () => {
      await recordOf({ startedAt: 'then', finishedAt: 'later', status: 'FAILED' });
      assert.deepEqual(await validate(from), {
        ...{ problems: [], warnings: [], commit: undefined },
        reExecuted: { commit: 'c0ffee', artifactsVersion: '2026.1', artifacts: [aemArtifact('site')] },
      });
    });

    it('not when it never began, nor when there is no record', async () => {
      await recordOf({});
      const [early, unknown] = [await validate(from), await validate('1/101/0000000009')];
      assert.match(early.problems[0]?.problem ?? '', /never began/);
      assert.equal(early.reExecuted, undefined);
      assert.match(unknown.problems[0]?.problem ?? '', /execution\.json/);
    });
  });
});

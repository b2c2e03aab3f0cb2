import assert from 'node:assert/strict';
import { localPlatform } from './harness.ts';

describe('on real servers, before anything is changed', function () {
  this.timeout(120_000);
  const fairway = localPlatform();

  it('validation names a missing branch and an absent instance at once', async () => {
    const [publish] = fairway.platform.stage.publish;
    const { url } = fairway.platform.repository;
    await fairway.pipeline({ repository: { url, branch: 'release/none' } });
    await publish!.crash();
    try {
      const state = await fairway.end(await fairway.begin());
      assert.equal(state.status, 'FAILED');
      assert.equal(state.failure?.step, 'validate');
      assert.match(state.failure?.message ?? '', /release\/none/);
      assert.match(state.failure?.message ?? '', /environment 11 \(Stage\) publish1/);
    } finally {
      await publish!.resume();
      await fairway.pipeline({});
    }
  });

  it('validation names every agent that does not listen', async () => {
    const { client, program } = fairway.platform;
    const environments = program.environments.map((environment) => ({
      ...environment,
      dispatchers: environment.dispatchers?.map((dispatcher) => ({
        ...dispatcher,
        id: `${dispatcher.id}-new`,
      })),
    }));
    const revision = (await client.program(program.id))?.revision ?? 0;
    await client.apply({ ...program, environments }, revision, {
      subject: 't',
      via: 'test',
      verified: false,
    });
    try {
      const { failure } = await fairway.end(await fairway.begin());
      assert.match(failure?.message ?? '', /\(Production\) dispatcher1-new.*start the Fairway agent/);
      assert.match(failure?.message ?? '', /\(Production\) dispatcher2-new/);
    } finally {
      await fairway.pipeline({});
    }
  });

  it('a failing unit test ends the build and is named', () =>
    fairway.withCommit(
      () =>
        fairway.platform.repository.change(
          'core/src/test/java/com/example/site/core/PageNameTest.java',
          (text) => text.replace('"cafe-zurich-2026"', '"something else"'),
        ),
      async () => {
        const state = await fairway.end(await fairway.begin());
        assert.equal(state.status, 'FAILED');
        assert.equal(state.failure?.step, 'build');
        assert.match(state.failure?.message ?? '', /PageNameTest\.accentsAndPunctuationGo/);
        assert.match(await fairway.log(state, 'build'), /accentsAndPunctuationGo/);
      },
    ));

  it('a broken httpd configuration stops at the preflight with the words of Apache, and nothing is changed', () =>
    fairway.withCommit(
      () =>
        fairway.platform.repository.change(
          'dispatcher/src/conf.d/available_vhosts/site_publish.vhost',
          (text) => `${text}\nNoSuchDirective on\n`,
        ),
      async () => {
        const before = await fairway.trees();
        const state = await fairway.end(await fairway.begin());
        assert.equal(state.status, 'FAILED');
        assert.match(state.failure?.message ?? '', /nothing was changed/);
        assert.match(state.failure?.message ?? '', /Invalid command 'NoSuchDirective'/);
        assert.deepEqual(await fairway.trees(), before);
        const { actions } = fairway.platform.stage.publish[0]!;
        assert.ok(
          actions.every(({ path }) => path.includes('site.first')),
          'only the first release was installed',
        );
      },
    ));

  it('a missing folder in the dispatcher package is named, and nothing is changed', () =>
    fairway.withCommit(
      async () => {
        await fairway.git('rm', '-rq', 'dispatcher/src/conf.modules.d');
        await fairway.git('commit', '--quiet', '-m', 'Without conf.modules.d');
      },
      async () => {
        const state = await fairway.end(await fairway.begin());
        assert.equal(state.status, 'FAILED');
        assert.match(state.failure?.message ?? '', /conf\.modules\.d/);
      },
    ));
});

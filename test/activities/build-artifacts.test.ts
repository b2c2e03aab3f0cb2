import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { collectArtifacts } from '../../src/activities/build-artifacts.ts';
import type { Failure } from '../../src/systems/failure.ts';
import { fileStorage } from '../../src/systems/storage/file-storage.ts';
import { temporaryFolder } from '../support/folder.ts';

describe('the packages of a build', () => {
  const folder = temporaryFolder();
  let lines: string[] = [];
  beforeEach(() => void (lines = []));
  const project = (...parts: string[]) => join(folder(), 'project', ...parts);
  const storage = () => fileStorage(join(folder(), 'storage'));
  const collect = async () => {
    await mkdir(project(), { recursive: true });
    return collectArtifacts(project(), '1/2/3/artifacts', storage(), (line) => lines.push(line));
  };

  async function zip(path: string, files: readonly string[], salt = ''): Promise<string> {
    await mkdir(dirname(project(path)), { recursive: true });
    const archive = new ZipFile();
    for (const file of files) archive.addBuffer(Buffer.from(`# ${file}${salt}\n`), file);
    archive.end();
    await pipeline(archive.outputStream, createWriteStream(project(path)));
    return project(path);
  }
  const DISPATCHER = ['conf/httpd.conf', 'conf.d/a.conf', 'conf.dispatcher.d/a.any', 'conf.modules.d/a.conf'];

  it('are the zips directly in target folders; the same zip twice is one; others are kept', async () => {
    const original = await zip('dispatcher/target/site.zip', DISPATCHER);
    await mkdir(project('copy/target'), { recursive: true });
    await cp(original, project('copy/target/again.zip'));
    await zip('target/notes.zip', ['notes.txt']);
    await zip('dispatcher/target/classes/inner.zip', DISPATCHER, 'other');
    await zip('dispatcher/site.zip', DISPATCHER, 'elsewhere');
    const artifacts = await collect();
    assert.deepEqual(
      artifacts.map(({ kind, path, file }) => [kind, path, file.key]),
      [
        ['dispatcher', 'copy/target/again.zip', '1/2/3/artifacts/copy/again.zip'],
        ['kept', 'target/notes.zip', '1/2/3/artifacts/notes.zip'],
      ],
    );
    assert.match(
      lines.join('\n'),
      /dispatcher\/target\/site\.zip: the same file as copy\/target\/again\.zip/,
    );
    assert.match(lines.join('\n'), /target\/notes\.zip: kept, not deployed: /);
    assert.deepEqual(await storage().list(''), [
      '1/2/3/artifacts/copy/again.zip',
      '1/2/3/artifacts/notes.zip',
    ]);
  });

  it('must hold something to deploy', async () => {
    await assert.rejects(collect(), { type: 'BuildFailed', message: /no package that can be deployed/ });
    await zip('target/notes.zip', ['notes.txt']);
    await assert.rejects(
      collect(),
      (error: Failure) => error.details[0]?.startsWith('target/notes.zip: ') === true,
    );
  });

  it('hold one dispatcher package at most', async () => {
    await zip('a/target/a.zip', DISPATCHER);
    await zip('b/target/b.zip', DISPATCHER, 'different');
    await assert.rejects(collect(), {
      type: 'InvalidArtifact',
      message: /2 dispatcher packages: a\/target\/a\.zip, b\/target\/b\.zip/,
    });
  });

  it('are never read through a link', async () => {
    const outside = await zip('../outside/target/secret.zip', DISPATCHER);
    await mkdir(project('a/target'), { recursive: true });
    await symlink(outside, project('a/target/link.zip'));
    await symlink(dirname(dirname(outside)), project('linked'));
    await assert.rejects(collect(), { type: 'BuildFailed' });
    assert.deepEqual(await storage().list(''), []);
  });
});

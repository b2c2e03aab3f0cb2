import assert from 'node:assert/strict';
import type { AemArtifact, PackageId } from '../../src/model/artifacts.ts';
import { distinctArtifacts, missingDependencies, orderPackages } from '../../src/model/package-order.ts';
import { parseDependencies } from '../../src/model/package-version.ts';

const id = (text: string): PackageId => {
  const [group = '', name = '', version = ''] = text.split(':');
  return { group, name, version };
};

const artifact = (text: string, dependencies = '', embedded: readonly string[] = []): AemArtifact => ({
  kind: 'aem',
  path: `${id(text).name}/target/x.zip`,
  file: { key: text, sha256: `${text} ${dependencies}`, size: 1 },
  package: {
    id: id(text),
    dependencies: parseDependencies(dependencies),
    embedded: embedded.map(id),
    bundles: [],
  },
});

const names = (artifacts: readonly AemArtifact[]) => {
  const { order, problems } = orderPackages(artifacts);
  assert.deepEqual(problems, []);
  return order.map((one) => one.package.id.name).join(' ');
};

describe('order of packages', () => {
  it('names all packages of a cycle, and no others', () => {
    const { order, problems } = orderPackages([
      artifact('g:before:1'),
      artifact('g:a:1', 'g:b'),
      artifact('g:b:1', 'g:c,g:before'),
      artifact('g:c:1', 'g:a'),
      artifact('g:after:1', 'g:c'),
      artifact('g:x:1', 'g:y'),
      artifact('g:y:1', 'g:x'),
    ]);
    assert.deepEqual(problems, [
      'packages depend on each other in a circle: g:a:1, g:b:1, g:c:1',
      'packages depend on each other in a circle: g:x:1, g:y:1',
    ]);
    assert.equal(order.length, 7);
  });

  it('finds a cycle through an embedded package', () => {
    const { problems } = orderPackages([
      artifact('g:all:1', 'g:content', ['g:apps:1']),
      artifact('g:content:1', 'g:apps'),
    ]);
    assert.deepEqual(problems, ['packages depend on each other in a circle: g:all:1, g:content:1']);
  });

  it('reports two versions, and two zips, of one package', () => {
    const other = {
      ...artifact('g:a:1'),
      path: 'copy/target/x.zip',
      file: { key: 'k', sha256: 'other', size: 1 },
    };
    assert.deepEqual(orderPackages([artifact('g:a:1'), artifact('g:a:2')]).problems, [
      'two versions of the same package: g:a:1 (a/target/x.zip) and g:a:2 (a/target/x.zip)',
    ]);
    assert.deepEqual(orderPackages([artifact('g:a:1'), other]).problems, [
      'two different zips are the same package: g:a:1 (a/target/x.zip) and g:a:1 (copy/target/x.zip)',
    ]);
  });

  it('takes the same zip twice as one', () => {
    const once = artifact('g:a:1');
    assert.deepEqual(distinctArtifacts([once, { ...once, path: 'elsewhere' }]), [once]);
    assert.equal(names([once, { ...once, path: 'elsewhere' }]), 'a');
  });

  it('puts packages behind what they depend on', () =>
    assert.equal(
      names([
        artifact('g:content:1', 'g:apps:1,g:config'),
        artifact('g:config:1', 'g:apps'),
        artifact('g:apps:1'),
      ]),
      'apps config content',
    ));

  it('keeps the given order otherwise', () => {
    assert.equal(names(['d', 'b', 'c', 'a'].map((name) => artifact(`g:${name}:1`))), 'd b c a');
    assert.equal(
      names([artifact('g:z:1', 'g:m'), artifact('g:y:1'), artifact('g:m:1'), artifact('g:b:1')]),
      'y m z b',
    );
  });

  it('counts what is embedded', () =>
    assert.equal(
      names([artifact('g:content:1', 'g:apps:[1,2)'), artifact('g:all:1', '', ['g:apps:1.5'])]),
      'all content',
    ));

  it('is content with one of two that would do', () =>
    assert.equal(
      names([
        artifact('g:first:1', 'g:user', ['g:lib:1']),
        artifact('g:user:1', 'g:lib'),
        artifact('g:second:1', '', ['g:lib:1']),
      ]),
      'second user first',
    ));

  it('lets a version outside of the range, and a package itself, not count', () => {
    assert.equal(names([artifact('g:b:1', 'g:a:2'), artifact('g:a:1')]), 'b a');
    assert.equal(names([artifact('g:a:2', 'g:a:[1,2)')]), 'a');
    assert.equal(names([artifact('g:a:2', 'g:a')]), 'a');
  });

  it('orders 400 packages in a blink', () => {
    const chain = Array.from({ length: 400 }, (_, n) => artifact(`g:p${n}:1`, `g:p${n + 1}`)).concat(
      artifact('g:p400:1'),
    );
    const started = performance.now();
    assert.equal(orderPackages(chain).order[0]?.package.id.name, 'p400');
    assert.ok(performance.now() - started < 2000);
  });
});

describe('missing dependencies', () => {
  it('names the package, the dependency and what is there instead', () => {
    const set = [
      artifact('g:site:1', 'g:lib:[1.0,2.0),h:none:3,h:any'),
      artifact('g:lib:2.0'),
      artifact('g:all:1', '', ['g:lib:2.5']),
    ];
    assert.deepEqual(missingDependencies(set, [id('g:lib:0.9'), id('g:other:1')]), [
      'package g:site:1 needs g:lib, version [1.0,2.0): there is only artifact g:lib:2.0, g:lib:2.5 embedded in g:all:1, g:lib:0.9 on the instance',
      'package g:site:1 needs h:none, version 3 or newer: neither the artifacts nor the instance hold it',
      'package g:site:1 needs h:any, any version: neither the artifacts nor the instance hold it',
    ]);
  });

  it('names the embedded package that asks', () => {
    const all = artifact('g:all:1');
    const dependencies = [{ group: 'g', name: 'lib', range: '', requiredBy: 'g:apps:1' }];
    assert.match(
      missingDependencies([{ ...all, package: { ...all.package, dependencies } }], [])[0]!,
      /^package g:all:1 \(its embedded g:apps:1\) needs g:lib, any version/,
    );
  });

  it('makes a stray blank visible', () =>
    assert.match(
      missingDependencies([artifact('g:a:1', 'g:b, g:c')], [id('g:b:1'), id('g:c:1')])[0]!,
      /needs " g:c"/,
    ));

  it('does not let a package satisfy itself with what it embeds', () =>
    assert.equal(missingDependencies([artifact('g:all:1', 'g:apps', ['g:apps:1'])], []).length, 1));

  it('is satisfied by artifacts, by what they embed and by the instance', () =>
    assert.deepEqual(
      missingDependencies(
        [
          artifact('g:a:1', 'g:b:1,g:c:[1,2),day/cq60/product:cq-content:6.3.64'),
          artifact('g:b:1.0'),
          artifact('g:all:1', '', ['g:c:1.9']),
        ],
        [id('day/cq60/product:cq-content:6.5.0')],
      ),
      [],
    ));
});

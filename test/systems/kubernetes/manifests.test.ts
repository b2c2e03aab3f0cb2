import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { prepare } from '../../../src/local/setup/prepare.ts';
import type { KubernetesEnvironment } from '../../../src/model/images.ts';
import { kubernetesConfiguration } from '../../../src/systems/kubernetes/manifests.ts';
import { renderConfiguration } from '../../../src/systems/kubernetes/render.ts';
import { run } from '../../../src/systems/process.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { kubernetesProblems } from '../../support/schema-validators.ts';

const digest = (character: string) => `sha256:${character.repeat(64)}`;
const images = {
  aem: { name: 'registry.example.com/site/aem', digest: digest('a') },
  dispatcher: { name: 'registry.example.com/site/dispatcher', digest: digest('d') },
};
const environment: KubernetesEnvironment = {
  ...{ id: '20', name: 'Production', type: 'prod', namespace: 'site-prod', repositorySize: '50Gi' },
  replicas: { publish: 2, dispatcher: 3 },
  probe: { path: '/en.html?a=b&c', host: 'www.example.com' },
  secrets: { author: 'author-secrets' },
  pullSecret: 'registry',
  variables: { publish: { CQ_JVM_OPTS: "-Xmx4g -Dnote='a: b # c'" } },
};

/** Of what Kubernetes is told, the parts that are looked at here. */
interface Resource {
  kind: string;
  metadata: { name: string; namespace: string; annotations: Record<string, string> };
  data?: Record<string, string>;
  spec: {
    replicas?: number;
    maxUnavailable?: number;
    strategy?: { rollingUpdate: { maxUnavailable: number } };
    template: {
      spec: {
        imagePullSecrets: unknown;
        containers: { image: string; envFrom: Record<string, { name: string }>[]; readinessProbe: unknown }[];
      };
    };
  };
}

const sortedKeys = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort())
    : value;

describe('Kubernetes configuration', function () {
  this.timeout(300_000); // the first time, schemas are downloaded
  const folder = temporaryFolder();

  /** As `kubectl apply -k` would send it. */
  async function rendered(files: Record<string, string>): Promise<{ text: string; resources: Resource[] }> {
    const { kubectl } = await prepare(['kubectl'], () => undefined);
    const target = join(folder(), 'configuration');
    await mkdir(target, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(target, name), text);
    const { code, stdout, stderr } = await run(kubectl, ['kustomize', target]);
    assert.equal(code, 0, stderr);
    return { text: stdout, resources: parseAllDocuments(stdout).map((one) => one.toJS() as Resource) };
  }

  it('is rendered as kubectl renders it, but for the names of config maps', async () => {
    const files = kubernetesConfiguration('1', environment, images);
    const { resources } = await rendered(files);
    const plain = (all: readonly object[]) => {
      const sorted = all.map((one) => JSON.stringify(one, sortedKeys).replace(/-[a-z0-9]{10}"/g, '"'));
      return sorted.sort().map((one) => JSON.parse(one) as object);
    };
    assert.deepEqual(plain(renderConfiguration(files)), plain(resources));
  });

  it('is what Kubernetes understands, with images by digest, and nothing secret', async () => {
    const files = kubernetesConfiguration('1', environment, images);
    assert.deepEqual(Object.keys(files), [
      'kustomization.yaml',
      'author.yaml',
      'publish.yaml',
      'dispatcher.yaml',
    ]);
    const { text, resources } = await rendered(files);
    assert.deepEqual(await kubernetesProblems(text), []);
    const one = (kind: string, name: string) => {
      const [found, ...others] = resources.filter(
        ({ kind: is, metadata }) => is === kind && metadata.name.replace(/-[a-z0-9]{10}$/, '') === name,
      );
      assert.ok(found && others.length === 0, `${kind} ${name}`);
      return found;
    };
    for (const { metadata } of resources) {
      assert.equal(metadata.namespace, 'site-prod');
      assert.equal(metadata.annotations['fairway/environment'], '20');
    }
    const expected = [
      ['StatefulSet', 'author', 1, `registry.example.com/site/aem@${digest('a')}`],
      ['StatefulSet', 'publish', 2, `registry.example.com/site/aem@${digest('a')}`],
      ['Deployment', 'dispatcher', 3, `registry.example.com/site/dispatcher@${digest('d')}`],
    ] as const;
    for (const [kind, name, replicas, image] of expected) {
      const { spec } = one(kind, name);
      const [container] = spec.template.spec.containers;
      assert.equal(spec.replicas, replicas);
      assert.equal(container?.image, image);
      assert.equal(container.envFrom[0]?.configMapRef?.name, one('ConfigMap', name).metadata.name);
      assert.deepEqual(spec.template.spec.imagePullSecrets, [{ name: 'registry' }]);
      one('Service', name);
      assert.equal(one('PodDisruptionBudget', name).spec.maxUnavailable, 1);
    }
    assert.equal(one('Deployment', 'dispatcher').spec.strategy?.rollingUpdate.maxUnavailable, 0);
    assert.equal(one('ConfigMap', 'author').data?.CQ_RUNMODE, 'author,prod');
    assert.deepEqual(one('ConfigMap', 'publish').data, {
      CQ_RUNMODE: 'publish,prod',
      CQ_PORT: '4503',
      CQ_JVM_OPTS: "-Xmx4g -Dnote='a: b # c'",
    });
    const [author] = one('StatefulSet', 'author').spec.template.spec.containers;
    assert.deepEqual(author?.envFrom[1], { secretRef: { name: 'author-secrets' } });
    assert.ok(!resources.some(({ kind }) => kind === 'Secret' || kind === 'Namespace'));
    const [httpd] = one('Deployment', 'dispatcher').spec.template.spec.containers;
    assert.deepEqual((httpd?.readinessProbe as { httpGet: unknown }).httpGet, {
      ...{ path: '/en.html?a=b&c', port: 'http' },
      httpHeaders: [{ name: 'Host', value: 'www.example.com' }],
    });
  });

  it('rolls out anew when a variable changes, and only there', async () => {
    const names = async (given: KubernetesEnvironment) =>
      (await rendered(kubernetesConfiguration('1', given, images))).resources
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ metadata }) => metadata.name)
        .sort();
    const before = await names(environment);
    const after = await names({ ...environment, variables: { publish: { CQ_JVM_OPTS: '-Xmx8g' } } });
    const changed = before.filter((name) => !after.includes(name));
    assert.equal(changed.length, 1);
    assert.match(changed[0] ?? '', /^publish-/);
  });

  it('has no workload for what has no image', async () => {
    const files = kubernetesConfiguration('1', environment, { aem: images.aem });
    assert.deepEqual(Object.keys(files), ['kustomization.yaml', 'author.yaml', 'publish.yaml']);
    assert.equal((await rendered(files)).resources.length, 8);
  });

  it('is looked at with schemas that find mistakes', async () => {
    const { 'dispatcher.yaml': text = '' } = kubernetesConfiguration('1', environment, images);
    const problems = await kubernetesProblems(
      text.replace('maxSurge: 1', 'maxSurge: {}').replace('replicas', 'replica'),
    );
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /^Deployment dispatcher /);
  });
});

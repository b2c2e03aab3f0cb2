import assert from 'node:assert/strict';
import { kubernetesEnvironment, nodesOnCluster } from '../../src/model/kubernetes.ts';
import { kubernetesSchema } from '../../src/model/schema/kubernetes.ts';
import { clusterEnvironment, definition, environment } from '../support/definition.ts';
import { problems } from './definition-problems.ts';

const least = { server: 'https://cluster.example.com:6443', token: 'CLUSTER_TOKEN', namespace: 'site-stage' };

describe('an environment on Kubernetes', () => {
  const mistakes: [what: string, change: object, told: RegExp][] = [
    ['a token sent in the open', { server: 'http://cluster.example.com' }, /must be https: a token is sent/],
    ['a token instead of its name', { token: 'eyJhbGciOi' }, /must be upper-case/],
    ['a namespace that Kubernetes would refuse', { namespace: 'Site_Stage' }, /names in Kubernetes/],
    ['a file instead of a certificate', { certificateAuthority: '/etc/ca.pem' }, /certificates in PEM/],
    ['no dispatcher at all', { replicas: { dispatcher: 0 } }, /replicas|>=1/],
    ['a size without unit', { repositorySize: '50' }, /must be a size such as 50Gi/],
    ['a workload that there is not', { secrets: { preview: 'x' } }, /preview/],
    ['a variable with a dash', { variables: { author: { 'CQ-PORT': '1' } } }, /name of a variable/],
    ['something unknown', { context: 'prod' }, /context/],
  ];
  for (const [what, change, told] of mistakes)
    it(`is refused with ${what}`, () => {
      const { error } = kubernetesSchema.safeParse({ ...least, ...change });
      assert.match(JSON.stringify(error?.issues), told);
    });

  it('needs a server, a token by reference and a namespace only', () => {
    const kubernetes = kubernetesSchema.parse(least);
    assert.deepEqual(kubernetes.replicas, { publish: 2, dispatcher: 2 });
    const stage = { id: '10', name: 'Stage', type: 'stage', probe: { path: '/' } } as const;
    const { namespace, repositorySize } = kubernetesEnvironment(stage, kubernetes);
    assert.deepEqual([namespace, repositorySize], ['site-stage', '50Gi']);
    assert.deepEqual(nodesOnCluster(kubernetes), { author: [], publish: [], dispatchers: [] });
  });

  it('is tested where the cluster lets it be reached', () => {
    const at = { url: 'https://author.example.com', credentials: 'AEM' };
    const { author, dispatchers } = nodesOnCluster(
      kubernetesSchema.parse({ ...least, author: at, dispatcher: { url: 'https://www.example.com' } }),
    );
    assert.deepEqual(author, [{ id: 'author', ...at }]);
    assert.equal(dispatchers[0]?.url, 'https://www.example.com');
  });
});

describe('a program with environments on a cluster', () => {
  const stage = clusterEnvironment('11', 'Stage', 'stage');
  const prod = clusterEnvironment('12', 'Production', 'prod');
  const of = (environments: readonly object[], pipeline: object = {}, type = 'aem_cloud_service') =>
    problems({ ...definition({ cse: undefined, ...pipeline }), type, environments });
  const on = (change: object) => ({ ...stage, kubernetes: { ...stage.kubernetes, ...change } });

  it('is good, also beside environments of hosts', () => {
    assert.deepEqual(of([stage, prod]), []);
    assert.deepEqual(of([environment('11', 'Stage', 'stage', 1), prod]), []);
  });

  const mistakes: [what: string, found: string[], told: RegExp][] = [
    [
      'in Managed Services',
      of([stage, environment('12', 'Production', 'prod', 2)], {}, 'aem_managed_services'),
      /^environments\.0\.kubernetes: only a program of Cloud Service/,
    ],
    [
      'with hosts as well',
      of([{ ...environment('11', 'Stage', 'stage', 1), kubernetes: stage.kubernetes }, prod]),
      /^environments\.0\.author: .* leave out author, or `kubernetes`\nenvironments\.0\.publish: .*\nenvironments\.0\.dispatchers: .*\nenvironments\.0\.loadBalancer: /,
    ],
    [
      'with neither',
      of([{ id: '11', name: 'Stage', type: 'stage' }, prod]),
      /^environments\.0\.author: an environment needs an author instance, or, in Cloud Service, `kubernetes`/,
    ],
    [
      'in one namespace',
      of([on({ namespace: 'site-prod' }), prod]),
      /^environments\.1\.kubernetes\.namespace: is that of environment 11 \(Stage\) as well/,
    ],
    [
      'of which the tested one does not say how it is reached',
      of([on({ publish: undefined }), prod]),
      /^environments\.0\.kubernetes\.publish: is missing: pipeline 101 tests this environment/,
    ],
    [
      'whose load balancer is to be skipped',
      of([stage, prod], { skipDetachingDispatchers: true }),
      /^pipelines\.0\.skipDetachingDispatchers: a cluster sends visitors .* leave it out$/,
    ],
  ];
  for (const [what, found, told] of mistakes)
    it(`is refused ${what}`, () => assert.match(found.join('\n'), told));
});

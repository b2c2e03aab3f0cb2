import assert from 'node:assert/strict';
import { kubernetesEnvironment, nodesOnCluster } from '../../src/model/kubernetes.ts';
import { kubernetesSchema } from '../../src/model/schema/kubernetes.ts';

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

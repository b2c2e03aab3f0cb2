import { z } from 'zod';
import { contentPath, httpUrl, label, nodeId, numericId, secretName } from './fields.ts';
import { kubernetesSchema } from './kubernetes.ts';

const metrics = z
  .strictObject({
    exporter: httpUrl.describe(
      'URL of the Prometheus node exporter of its host, such as `http://publish1:9100/metrics`.',
    ),
    networkMbits: z
      .number()
      .positive()
      .optional()
      .describe(
        'Bandwidth of its network in Mbit/s, where the host does not know it, as most virtual machines do not.',
      ),
  })
  .optional()
  .describe('Where its CPU, disks and network are measured while a performance test runs.');

const instance = z.strictObject({
  id: nodeId.describe('Unique among the nodes of its environment.'),
  url: httpUrl.describe("Base URL of the AEM instance, as Fairway's worker reaches it."),
  credentials: secretName.describe(
    'Name of the secret that holds `user:password` of an account that may install packages.',
  ),
  packageManager: z
    .enum(['crx', 'composum'])
    .optional()
    .describe(
      "Whose package manager it has: AEM's own (`crx`, also where nothing is said), or Apache Sling's Composum.",
    ),
  metrics,
});

const dispatcher = z.strictObject({
  id: nodeId.describe('Unique among the nodes of its environment; its agent is told the same.'),
  url: httpUrl.describe('Base URL of this dispatcher itself, not of the load balancer: probes go there.'),
  publish: nodeId.describe('The publish instance that this dispatcher renders from.'),
  server: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'must be the name of a server in the load balancer')
    .describe(
      "The name of this dispatcher in HAProxy's backend; with AWS the id or IP address of its target, with `:port` where that host is in the group several times.",
    ),
  metrics,
});

const haproxy = z.strictObject({
  type: z.literal('haproxy').describe('The kind of load balancer.'),
  socket: z.string().min(1).max(100).describe("Path of HAProxy's runtime API socket, `level admin`."),
  backend: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'must be the name of a backend')
    .describe('The backend that holds the dispatchers.'),
  url: httpUrl.describe('Where visitors reach the environment: load tests go there.'),
});

const elbv2 = z.strictObject({
  type: z.literal('elbv2').describe('The kind of load balancer: AWS Elastic Load Balancing v2.'),
  targetGroup: z
    .string()
    .regex(
      /^arn:aws[a-z-]{0,20}:elasticloadbalancing:[a-z0-9-]{4,30}:\d{12}:targetgroup\/[A-Za-z0-9-]{1,32}\/[0-9a-f]{1,32}$/,
      'must be the ARN of a target group',
    )
    .describe('ARN of the target group that holds the dispatchers.'),
  url: httpUrl.describe('Where visitors reach the environment: load tests go there.'),
});

const loadBalancer = z.discriminatedUnion('type', [haproxy, elbv2], { error: 'must be haproxy or elbv2' });

const hostName = z.string().regex(/^[A-Za-z0-9._:[\]-]{1,253}$/, 'must be the name of a host');

const probe = z.strictObject({
  path: contentPath.default('/').describe('A page that every healthy dispatcher answers with 200.'),
  host: hostName.optional().describe('The `Host` it answers that page for; absent: that of its URL.'),
});

const fields = z.strictObject({
  id: numericId.describe('Unique within the program.'),
  name: label.describe('For people; unique names may be used instead of ids.'),
  type: z.enum(['dev', 'stage', 'prod']).describe('What the environment is for.'),
  author: z
    .array(instance)
    .max(10)
    .default([])
    .describe('The author instances, one at least; none where `kubernetes` is.'),
  publish: z
    .array(instance)
    .max(100)
    .default([])
    .describe('The publish instances, in the order that production is deployed in.'),
  dispatchers: z.array(dispatcher).max(100).default([]).describe('The dispatchers.'),
  loadBalancer: loadBalancer
    .optional()
    .describe('What sends visitors to the dispatchers; a production environment with dispatchers needs one.'),
  kubernetes: kubernetesSchema
    .optional()
    .describe(
      'The namespace of a Kubernetes cluster that it is, in place of the hosts above; Cloud Service only.',
    ),
  probe: probe.prefault({}).describe('How it is told whether a dispatcher serves.'),
});

export const environmentSchema = fields.refine(({ author, kubernetes }) => kubernetes || author.length > 0, {
  path: ['author'],
  error: 'an environment needs an author instance, or, in Cloud Service, `kubernetes` in place of hosts',
});

export type Environment = z.infer<typeof environmentSchema>;
export type Instance = z.infer<typeof instance>;
export type Dispatcher = z.infer<typeof dispatcher>;
export type LoadBalancer = z.infer<typeof loadBalancer>;
export type TargetGroup = z.infer<typeof elbv2>;

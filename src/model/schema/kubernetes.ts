import { z } from 'zod';
import { httpUrl, secretName } from './fields.ts';

/** Names in Kubernetes are DNS labels (RFC 1123), those of secrets may have dots (DNS subdomains). */
const dnsLabel = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'must be lower-case letters, digits and dashes, as names in Kubernetes are',
  );
const dnsSubdomain = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    'must be lower-case letters, digits, dashes and dots, as names in Kubernetes are',
  );
const replicas = z.number().int().min(1).max(100);
const perWorkload = <T extends z.ZodType>(value: T) =>
  z.strictObject({
    author: value.optional().describe('Of the author.'),
    publish: value.optional().describe('Of the publish instances.'),
    dispatcher: value.optional().describe('Of the dispatchers.'),
  });
const variables = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be the name of a variable'),
  z.string().max(10_000),
);
const instance = z.strictObject({
  url: httpUrl.describe(
    "Where Fairway's worker reaches it, by an ingress or a load balancer of the cluster.",
  ),
  credentials: secretName.describe('Name of the secret that holds `user:password` of an account of it.'),
});

/** An environment that is a namespace of a Kubernetes cluster: what is applied there, and with whose rights. */
export const kubernetesSchema = z.strictObject({
  server: httpUrl
    .refine((url) => url.startsWith('https:'), 'must be https: a token is sent there')
    .describe("URL of the cluster's API server."),
  certificateAuthority: z
    .string()
    .regex(/^-----BEGIN CERTIFICATE-----[^]+-----END CERTIFICATE-----\s*$/, 'must be certificates in PEM')
    .optional()
    .describe('Certificate of whoever signed that of the API server, PEM; absent: one that Node.js trusts.'),
  token: secretName.describe(
    'Name of the secret that holds the token of a service account; it may apply to the namespace.',
  ),
  namespace: dnsLabel.describe('The namespace; it is there already.'),
  replicas: z
    .strictObject({
      publish: replicas.default(2).describe('Publish instances.'),
      dispatcher: replicas.default(2).describe('Dispatchers.'),
    })
    .prefault({})
    .describe('How many of each run; there is one author.'),
  repositorySize: z
    .string()
    .regex(/^[1-9][0-9]*(Mi|Gi|Ti)$/, 'must be a size such as 50Gi')
    .default('50Gi')
    .describe('Size of the volume that holds the repository of one AEM instance.'),
  pullSecret: dnsSubdomain
    .optional()
    .describe("Name of the secret in the namespace that holds the registry's credentials."),
  secrets: perWorkload(dnsSubdomain)
    .optional()
    .describe('Names of secrets in the namespace whose entries become variables of a workload.'),
  variables: perWorkload(variables).optional().describe('Variables of a workload that are no secrets.'),
  rolloutMinutes: z
    .number()
    .int()
    .min(1)
    .max(24 * 60)
    .default(90)
    .describe('How long all instances may take to be ready; then the deployment is undone.'),
  author: instance.optional().describe('How tests reach the author; absent: they cannot.'),
  publish: instance.optional().describe('How tests reach the publish instances; absent: they cannot.'),
  dispatcher: z
    .strictObject({ url: httpUrl.describe('Where visitors reach the dispatchers.') })
    .optional()
    .describe('How tests reach the dispatchers; absent: they cannot.'),
});

export type Kubernetes = z.infer<typeof kubernetesSchema>;

import {
  DeregisterTargetsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
  TargetGroupNotFoundException,
  type TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TargetGroup } from '../../model/schema/definition.ts';
import { Failure } from '../failure.ts';
import { pause } from '../pause.ts';
import { failureOf } from './elbv2-failures.ts';
import { findServer } from './find-server.ts';
import type { LoadBalancer, ServerState, ServerStatus } from './load-balancer.ts';

export interface Elbv2Options {
  /** Between two looks: AWS allows an account few of them a second. */
  readonly pollMs?: number;
  /** How long AWS may take to show what it was told. */
  readonly settleMs?: number;
}

/** AWS's default of the deregistration delay, and what its health checks may take besides. */
const DELAY_SECONDS = 300;
const SLACK_MS = 60_000;

/**
 * A target group of AWS Elastic Load Balancing v2. A server in service is a registered target; one in maintenance is not, or is
 * deregistering: AWS sends it no new request and gives those in flight the group's deregistration delay. Credentials come from
 * the AWS provider chain, the region from the ARN. Servers are the ids or addresses of targets, with `:port` where
 * that says which.
 */
export function elbv2(
  { targetGroup }: TargetGroup,
  known: readonly string[],
  { pollMs = 5_000, settleMs = 30_000 }: Elbv2Options = {},
): LoadBalancer {
  const [, , , region, , path = ''] = targetGroup.split(':');
  const name = `target group ${path.split('/')[1]}`;
  // Where it is comes from the process alone: an address in a definition would be sent signed requests.
  const client = new ElasticLoadBalancingV2Client({ region, maxAttempts: 5 });
  const TargetGroupArn = targetGroup;
  const asked = <T>(question: Promise<T>): Promise<T> =>
    question.catch((error: unknown) => {
      if (error instanceof TargetGroupNotFoundException)
        throw new Failure('Missing', `there is no ${name} in ${region}: correct "targetGroup"`, {
          cause: error,
        });
      throw failureOf(error, name);
    });

  const servers = async (): Promise<readonly ServerState[]> => {
    const { TargetHealthDescriptions: targets = [] } = await asked(
      client.send(new DescribeTargetHealthCommand({ TargetGroupArn })),
    );
    const others = targets.filter(({ Target }) => !known.some((server) => isTarget(server, Target)));
    return [
      ...known.map((server) =>
        stateOf(
          server,
          targets.find(({ Target }) => isTarget(server, Target)),
        ),
      ),
      ...others.map((target) => stateOf(`${target.Target?.Id}:${target.Target?.Port}`, target)),
    ];
  };
  /** AWS takes a while to show a change; until then it looks as if somebody had undone it. */
  const told = async (server: string, command: () => Promise<unknown>, out: boolean) => {
    findServer(name, await servers(), server);
    await asked(command());
    for (const deadline = Date.now() + settleMs; ; await pause(pollMs)) {
      const { status, words } = findServer(name, await servers(), server);
      if ((status === 'maintenance') === out) return targetGroup;
      if (Date.now() >= deadline)
        throw new Failure(
          'Unavailable',
          `${name} does not show what it was told of ${server}: it is ${words}`,
        );
    }
  };

  return {
    ...{ name, servers, pollMs },
    async patience() {
      const [{ TargetGroups: [group] = [] }, { Attributes = [] }] = await Promise.all([
        asked(client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [targetGroup] }))),
        asked(client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }))),
      ]);
      const delay = Attributes.find(({ Key }) => Key === 'deregistration_delay.timeout_seconds')?.Value;
      const { HealthCheckIntervalSeconds: interval = 30, HealthyThresholdCount: times = 5 } = group ?? {};
      return {
        sessionsMs: Number(delay ?? DELAY_SECONDS) * 1000 + SLACK_MS,
        checksMs: interval * times * 1000 + SLACK_MS,
      };
    },
    // It keeps what it was told.
    look: async () => ({ servers: await servers(), incarnation: targetGroup }),
    // Deregistering does both at once.
    drain: async () => undefined,
    maintain: (server) =>
      told(
        server,
        () => client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [targetOf(server)] })),
        true,
      ),
    ready: (server) =>
      told(
        server,
        () => client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [targetOf(server)] })),
        false,
      ),
  };
}

/** `i-0123456789abcdef0`, `10.0.0.5`, each with `:port` or without. */
function targetOf(server: string): { readonly Id: string; readonly Port?: number } {
  const [, id = server, port] = /^([^:]+):(\d{1,5})$/.exec(server) ?? [];
  return port === undefined ? { Id: id } : { Id: id, Port: Number(port) };
}

function isTarget(server: string, target: TargetHealthDescription['Target']): boolean {
  const { Id, Port } = targetOf(server);
  return target?.Id === Id && (Port === undefined || target.Port === Port);
}

function stateOf(name: string, description: TargetHealthDescription | undefined): ServerState {
  const {
    State = 'unused',
    Reason,
    Description,
  } = description?.TargetHealth ?? {
    Reason: 'Target.NotRegistered',
  };
  return {
    name,
    status: statusOf(State, Reason),
    // AWS does not count them.
    sessions: State === 'draining' ? 1 : 0,
    words: [State, Reason, Description].filter(Boolean).join(' '),
  };
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html, "Target health status" */
function statusOf(state: string, reason: string | undefined): ServerStatus {
  if (state === 'healthy') return 'up';
  if (state === 'initial') return 'uncertain';
  if (state === 'draining' || reason === 'Target.NotRegistered') return 'maintenance';
  // The group belongs to no load balancer, or has its health checks switched off.
  if (reason === 'Target.NotInUse' || state === 'unavailable') return 'unchecked';
  return 'down';
}

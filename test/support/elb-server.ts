import { buffer } from 'node:stream/consumers';
import { httpServer } from './http-server.ts';

export interface Health {
  readonly state: string;
  readonly reason?: string;
}

export interface ElbServer {
  readonly url: string;
  /** Registered and deregistering targets, `id:port`. */
  readonly targets: Map<string, Health>;
  /** What a target becomes when it is registered; and when it is deregistered, where undefined is gone at once. */
  readonly onRegister: { health: Health };
  readonly onDeregister: { health: Health | undefined };
  /** `deregistration_delay.timeout_seconds`. */
  delaySeconds: number;
  /** Answers instead, while it is there: an HTTP status and an error code of AWS. */
  refusal: readonly [status: number, code: string] | undefined;
  /** Actions in order, those that change something with their targets. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const TARGET_GROUP =
  'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/dispatchers/73e2d6bc24d8a067';

/** The part of AWS Elastic Load Balancing's Query API that Fairway uses, with one target group; tests drive the health of its targets. */
export async function elbServer(): Promise<ElbServer> {
  const server = await httpServer((request, response) => {
    void buffer(request).then((body) => {
      const asked = new URLSearchParams(body.toString());
      const { status, xml } = answer(asked, request.headers.authorization);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
    });
  });
  const elb: ElbServer = {
    ...{ ...server, targets: new Map(), delaySeconds: 300, refusal: undefined, asked: [] },
    onRegister: { health: { state: 'initial', reason: 'Elb.RegistrationInProgress' } },
    onDeregister: { health: { state: 'draining', reason: 'Target.DeregistrationInProgress' } },
  };
  return elb;

  function answer(asked: URLSearchParams, authorization = ''): { status: number; xml: string } {
    const action = asked.get('Action') ?? '';
    const named = asked.get('TargetGroupArn') ?? asked.get('TargetGroupArns.member.1');
    const targets = targetsOf(asked);
    elb.asked.push([action, ...targets].join(' '));
    if (elb.refusal) return refused(...elb.refusal);
    if (
      !/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/eu-central-1\/elasticloadbalancing\//.test(authorization)
    )
      return refused(403, 'MissingAuthenticationToken');
    if (named !== TARGET_GROUP) return refused(400, 'TargetGroupNotFound');
    const said = (xml = '') => ({
      status: 200,
      xml: `<${action}Response xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><${action}Result>${xml}</${action}Result></${action}Response>`,
    });
    if (action === 'RegisterTargets')
      for (const target of targets)
        if (elb.targets.get(target)?.state !== 'healthy') elb.targets.set(target, elb.onRegister.health);
    if (action === 'DeregisterTargets')
      for (const target of targets)
        if (elb.onDeregister.health === undefined) elb.targets.delete(target);
        else if (elb.targets.has(target)) elb.targets.set(target, elb.onDeregister.health);
    if (action === 'DescribeTargetGroups')
      return said(
        `<TargetGroups><member><TargetGroupArn>${TARGET_GROUP}</TargetGroupArn><HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds><HealthyThresholdCount>2</HealthyThresholdCount></member></TargetGroups>`,
      );
    if (action === 'DescribeTargetGroupAttributes')
      return said(
        `<Attributes><member><Key>deregistration_delay.timeout_seconds</Key><Value>${elb.delaySeconds}</Value></member></Attributes>`,
      );
    if (action === 'DescribeTargetHealth')
      return said(`<TargetHealthDescriptions>${described()}</TargetHealthDescriptions>`);
    return said();
  }

  function described(): string {
    return [...elb.targets]
      .map(([target, { state, reason }]) => {
        const [id, port] = target.split(':');
        const why = reason === undefined ? '' : `<Reason>${reason}</Reason>`;
        return `<member><Target><Id>${id}</Id><Port>${port}</Port></Target><TargetHealth><State>${state}</State>${why}</TargetHealth></member>`;
      })
      .join('');
  }
}

function targetsOf(asked: URLSearchParams): string[] {
  const targets: string[] = [];
  for (let n = 1; asked.has(`Targets.member.${n}.Id`); n += 1)
    targets.push(`${asked.get(`Targets.member.${n}.Id`)}:${asked.get(`Targets.member.${n}.Port`) ?? '80'}`);
  return targets;
}

const refused = (status: number, code: string) => ({
  status,
  xml: `<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>said by the test</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});

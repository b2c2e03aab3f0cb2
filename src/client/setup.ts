import { isGrpcServiceError, type Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { searchAttributes } from '../model/search-attributes.ts';
import { messageOf } from '../systems/failure.ts';
import { pause } from '../systems/pause.ts';
import { FairwayError } from './fairway-error.ts';

const RETENTION_DAYS = 30;
const DAY_MS = 86_400_000;
const DEADLINE_MS = 30_000;
const POLL_MS = 200;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const { IndexedValueType } = proto.temporal.api.enums.v1;
const types = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const;

type Connection = Client['connection'];

/** Which of the search attributes a namespace lacks, and which it has with another type than ours. */
export async function attributeTrouble(connection: Connection, namespace: string) {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const all = Object.entries(searchAttributes);
  return {
    missing: all.filter(([name]) => customAttributes?.[name] == null),
    mistyped: all.filter(([name, type]) => (customAttributes?.[name] ?? types[type]) !== types[type]),
  };
}

/**
 * Makes the namespace with its retention and search attributes; what is there already stays. The retention of a
 * namespace that is there changes only where `retentionDays` says so.
 * @returns what was done
 * @throws FairwayError `refused` when the service does not permit it (Temporal Cloud has namespaces and search attributes in
 * its own control plane), or when a search attribute has another type
 */
export async function setUpTemporal(
  { connection, options }: Client,
  retentionDays?: number,
): Promise<string[]> {
  const { namespace } = options;
  try {
    return await connection.withDeadline(Date.now() + DEADLINE_MS, async () => [
      ...(await setUpNamespace(connection, namespace, retentionDays)),
      ...(await setUpAttributes(connection, namespace)),
    ]);
  } catch (error) {
    if (error instanceof FairwayError) throw error;
    throw new FairwayError(
      'refused',
      `the Temporal Service did not set up namespace ${namespace}: ${messageOf(error)}\n` +
        'with Temporal Cloud, namespaces and search attributes are made there (tcld, or its Web UI): fairway doctor names what is missing',
      error,
    );
  }
}

async function setUpNamespace(connection: Connection, namespace: string, days?: number): Promise<string[]> {
  const service = connection.workflowService;
  const retention = msToTs((days ?? RETENTION_DAYS) * DAY_MS);
  try {
    const { config } = await service.describeNamespace({ namespace });
    const before = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1000;
    if (days === undefined || before === days * DAY_MS) return [];
    await service.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
    return [
      `namespace ${namespace}: closed executions are kept for ${days} days instead of ${before / DAY_MS}`,
    ];
  } catch (error) {
    if (!hasCode(error, NOT_FOUND)) throw error;
  }
  try {
    await service.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
  } catch (error) {
    if (!hasCode(error, ALREADY_EXISTS)) throw error; // somebody else was quicker
  }
  return [`namespace ${namespace} made, closed executions are kept for ${days ?? RETENTION_DAYS} days`];
}

async function setUpAttributes(connection: Connection, namespace: string): Promise<string[]> {
  // The servers learn of a new namespace within seconds.
  const first = await eventually(() => attributeTrouble(connection, namespace));
  const [wrong] = first.mistyped;
  if (wrong)
    throw new FairwayError(
      'refused',
      `namespace ${namespace} has a search attribute ${wrong[0]} that is no ${wrong[1]}: remove it (temporal operator ` +
        `search-attribute remove --name ${wrong[0]}) or take another namespace`,
    );
  if (first.missing.length === 0) return [];
  // One that is there already is no error.
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(first.missing.map(([name, type]) => [name, types[type]])),
  });
  while ((await attributeTrouble(connection, namespace)).missing.length > 0) await pause(POLL_MS);
  return [`search attributes made: ${first.missing.map(([name]) => name).join(', ')}`];
}

async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (!hasCode(error, NOT_FOUND)) throw error;
      await pause(POLL_MS);
    }
}

const hasCode = (error: unknown, code: number): boolean =>
  isGrpcServiceError(error) && Number(error.code) === code;

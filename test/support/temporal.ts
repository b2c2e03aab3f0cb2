import { defineSearchAttributeKey, type SearchAttributeType } from '@temporalio/common';
import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { serverSettings } from '../../src/local/temporal-server.ts';
import { prepare } from '../../src/local/setup/prepare.ts';
import { searchAttributes } from '../../src/model/search-attributes.ts';

const keys = Object.entries(searchAttributes).map(([name, type]) =>
  defineSearchAttributeKey<SearchAttributeType>(name, type === 'Keyword' ? 'KEYWORD' : 'DATETIME'),
);
const indexed = Object.fromEntries(
  Object.entries(searchAttributes).map(([name, type]) => [
    name,
    type === 'Keyword'
      ? proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
      : proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  ]),
);

/** An execution is deleted once the queues have noted how far they are, which they would do twice a minute. */
const forTests = [
  'history.transferProcessorUpdateAckInterval="1s"',
  'history.visibilityProcessorUpdateAckInterval="1s"',
] as const;

const quiet = () => undefined;

/** A server whose clock skips ahead while nothing but timers is open. Its owner calls `teardown()`. */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const { temporalTestServer } = await prepare(['temporalTestServer'], quiet);
  const environment = await started(() =>
    TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: temporalTestServer } },
    }),
  );
  // This server refuses attributes that it was not told of; it can neither list them nor search by them.
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: indexed,
  });
  return environment;
}

/** The dev server, in memory, with the search attributes and any dynamic settings. Its owner calls `teardown()`. */
export async function localEnvironment(
  settings: readonly `${string}=${string}`[] = [],
): Promise<TestWorkflowEnvironment> {
  const { temporal: path } = await prepare(['temporal'], quiet);
  return started(() =>
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        searchAttributes: keys,
        extraArgs: [...serverSettings, ...forTests, ...settings].flatMap((setting) => [
          '--dynamic-config-value',
          setting,
        ]),
      },
    }),
  );
}

/** The SDK gives a server five seconds to start and then ends it; on a busy machine they may be too few. */
async function started(
  start: () => Promise<TestWorkflowEnvironment>,
  tries = 10,
): Promise<TestWorkflowEnvironment> {
  try {
    return await start();
  } catch (error) {
    if (tries === 1 || !/did not start within/.test(String(error))) throw error;
    return started(start, tries - 1);
  }
}

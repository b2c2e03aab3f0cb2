import { userInfo } from 'node:os';
import { FairwayClient } from '../fairway-client.ts';
import { FairwayError } from '../fairway-error.ts';

/** Who acts: kept with every decision. */
export const me = { subject: userInfo().username, via: 'script', verified: false };

/**
 * Runs a script with a client of the Temporal Service that `TEMPORAL_ADDRESS` or a profile names, and with the
 * arguments that `usage` lists: all of them, except those in brackets. Exit code 1 when it was refused, 2 for usage.
 */
export async function script(
  usage: string,
  body: (fairway: FairwayClient, args: string[]) => Promise<void>,
): Promise<void> {
  const args = process.argv.slice(2);
  const needed = usage.split(' ').filter((word) => !word.startsWith('[')).length;
  if (args.length < needed) {
    console.error(`arguments: ${usage}`);
    process.exitCode = 2;
    return;
  }
  let fairway: FairwayClient | undefined;
  try {
    fairway = await FairwayClient.connect();
    await body(fairway, args);
  } catch (error) {
    if (!(error instanceof FairwayError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await fairway?.close();
  }
}

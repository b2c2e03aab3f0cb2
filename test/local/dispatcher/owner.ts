import { startDispatcher, type DispatcherOptions } from '../../../src/local/dispatcher/node.ts';

/** A process that starts a dispatcher, as its argument says, and waits to be killed. */
await startDispatcher(JSON.parse(process.argv[2] ?? '') as DispatcherOptions);
setInterval(() => undefined, 60_000);

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/* `--import collect.mjs`: SIGUSR2 collects the garbage of all threads of a process, that of the workflows as well. */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const channel = new BroadcastChannel('collect');
channel.onmessage = () => collect();
channel.unref();
if (isMainThread)
  process.on('SIGUSR2', () => {
    channel.postMessage(undefined);
    collect();
  });

import type { Activities } from '../model/activities.ts';
import type { Artifact } from '../model/artifacts.ts';
import { Failure } from '../systems/failure.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { whileHeartbeating } from './heartbeat.ts';
import { stepLog } from './step-log.ts';

/** The step Build of a re-execution. */
export const copyArtifactsActivities = ({
  storage,
}: {
  readonly storage: Storage;
}): Pick<Activities, 'copyArtifacts'> => ({
  copyArtifacts: ({ from, to, artifacts, log }) =>
    whileHeartbeating(async (signal) => {
      const say = stepLog(storage, log, 'build');
      const copies: Artifact[] = [];
      for (const artifact of artifacts) {
        signal.throwIfAborted();
        const { key, sha256 } = artifact.file;
        if (!key.startsWith(`${from}/`))
          throw new Failure('InvalidInput', `${key} was not built by the execution in ${from}`);
        const file = await storage.put(`${to}${key.slice(from.length)}`, await storage.get(key));
        if (file.sha256 !== sha256)
          throw new Failure(
            'InvalidArtifact',
            `${key} is no longer the file that was built: its SHA-256 differs`,
          );
        await say(`${artifact.path}: copied from ${key} (${file.size} bytes, SHA-256 as it was built)`);
        copies.push({ ...artifact, file });
      }
      return copies;
    }),
});

import type { PackageId, StoredFile } from '../model/artifacts.ts';
import { executionKey, recordKey, type ExecutionState } from '../model/execution.ts';
import type { StepId } from '../model/steps.ts';
import type { Storage } from '../systems/storage/storage.ts';
import { FairwayError } from './fairway-error.ts';
import { ReadFiles } from './read-files.ts';

/** A file that an execution left: a zip of the build, or a file of a step. */
export interface LeftFile {
  readonly kind: 'aem' | 'dispatcher' | 'kept' | 'results';
  /** Path inside the build, or as of a file of a step. */
  readonly path: string;
  readonly file: StoredFile;
  /** Of `aem`. */
  readonly package?: { readonly id: PackageId };
}

/** A file that a step left beside the zips of the build. */
export interface StepFile {
  readonly kind: 'results';
  readonly step: StepId;
  /** `results/loadTest.svg` */
  readonly path: string;
  readonly file: StoredFile;
}

/**
 * What a file is called where it is copied to: its name, and the folder of its environment where each has files of the
 * same names.
 */
export const nameOfCopy = (path: string): string =>
  /(?:^|\/)(kubernetes\/.+)$/.exec(path)?.[1] ?? path.split('/').at(-1) ?? path;

/** `results/loadTest.svg` of a key `<programId>/<pipelineId>/<executionId>/results/loadTest.svg`. */
export const pathInExecution = (key: string): string => key.split('/').slice(3).join('/');

/** Files of all steps that leave some; two steps may share one. */
export function stepFiles({ steps }: Pick<ExecutionState, 'steps'>): readonly StepFile[] {
  const all = steps.flatMap(({ id, results, findings = [] }) =>
    [...(results ? [results] : []), ...findings].map((file): StepFile => ({
      ...{ kind: 'results', step: id, file },
      path: pathInExecution(file.key),
    })),
  );
  return all.filter(({ file }, index) => all.findIndex((other) => other.file.key === file.key) === index);
}

/** What executions leave in storage. */
export class Files extends ReadFiles {
  private readonly given: Storage | undefined;

  constructor(storage: Storage | undefined) {
    super(() => this.storage);
    this.given = storage;
  }

  get isThere(): boolean {
    return this.given !== undefined;
  }

  /** @throws FairwayError `unavailable` when this client was given no storage */
  get storage(): Storage {
    if (this.given) return this.given;
    throw new FairwayError(
      'unavailable',
      'logs, results and artifacts are in storage, and none was named: set FAIRWAY_STORAGE to the folder or bucket that the workers use',
    );
  }

  /** The record of a closed execution; undefined while it runs, or when it left none. */
  async record(ids: Parameters<typeof executionKey>[0]): Promise<ExecutionState | undefined> {
    if (!this.given) return undefined;
    const text = await this.text(recordKey(executionKey(ids)));
    return text === undefined ? undefined : (JSON.parse(text) as ExecutionState);
  }
}

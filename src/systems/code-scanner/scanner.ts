import type { CodeMeasures } from '../../model/code-quality.ts';
import type { BuildReports } from '../../model/activities.ts';
import type { Finding } from '../../model/findings.ts';
import type { BuildEngine } from '../build-engine/engine.ts';

/** A module with compiled Java code. Paths are relative to the project's root; the root itself is `.`. */
export interface JavaModule {
  readonly path: string;
  /** Sources of the code that is deployed, `src/main/java`. */
  readonly sources: readonly string[];
  /** Sources of its tests. */
  readonly tests: readonly string[];
  /** What JaCoCo's agent wrote while the tests ran. */
  readonly executions: readonly string[];
}

/** A built project, restored from storage, and where it is analysed. */
export interface BuiltProject {
  /** Folder that holds the rest; everything in it may be written. */
  readonly work: string;
  /** Root of the project, in `work`. */
  readonly root: string;
  readonly modules: readonly JavaModule[];
  /** The jars that the modules were compiled and tested with, absolute. */
  readonly libraries: readonly string[];
  /** What the build counted. */
  readonly tests: BuildReports['tests'];
}

/** How programs are run: where the build ran. */
export interface ScanTools {
  /** Marks what runs: letters, digits and dashes. */
  readonly id: string;
  readonly engine: BuildEngine;
  /** Where analysers are kept between scans, absolute. */
  readonly toolsFolder: string;
  /** Maven's local repository, absolute. */
  readonly mavenRepository: string;
  readonly mavenSettings?: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Analysis {
  /** What analysed, for the log and the results: names and versions. */
  readonly analysers: string;
  readonly measures: CodeMeasures;
  readonly findings: readonly Finding[];
  /** What went wrong, for people: why a measure is unknown, or what was left out. */
  readonly problems: readonly string[];
}

/**
 * Analyses the code of a built project. An analyser that fails leaves its measures unknown and says so in `problems`.
 * @throws Failure when nothing could be analysed; the signal's reason
 */
export type CodeScanner = (project: BuiltProject, tools: ScanTools) => Promise<Analysis>;

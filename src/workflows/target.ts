import type { DeploymentProgress } from '../model/deployment.ts';
import type { Report } from './deployment-report.ts';

/** What a deployment goes to. */
export interface Target {
  /** Before it begins. */
  readonly progress: DeploymentProgress;
  /**
   * Deploys, and leaves nothing half done however it ends. Whatever it does is shown in the report.
   * @throws ApplicationFailure; the cancellation, when it was cancelled
   */
  deploy(report: Report): Promise<void>;
  /** Says of what was not reported yet how it ended. */
  settle(report: Report): void;
}

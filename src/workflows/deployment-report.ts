import { getExternalWorkflowHandle, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type {
  DeploymentProgress,
  DispatcherProgress,
  InstanceProgress,
  LegProgress,
} from '../model/deployment.ts';
import { deploymentText } from '../model/texts.ts';
import { always } from './scopes.ts';

/** What a deployment that does not complete tells its execution. */
export const PROGRESS = 'deploymentProgress';

/** Keeps the progress of a deployment and shows it in the Web UI; whoever wants to follow it asks the deployment. */
export class Report {
  readonly progress: DeploymentProgress;

  constructor(progress: DeploymentProgress) {
    this.progress = progress;
    this.show();
  }

  instance(id: string): InstanceProgress {
    return found(this.progress.instances, id);
  }

  dispatcher(id: string): DispatcherProgress {
    return found(this.progress.dispatchers, id);
  }

  leg(name: string): LegProgress | undefined {
    return this.progress.legs.find((leg) => leg.name === name);
  }

  /** What happens now; shown, not sent. */
  show(what?: string): void {
    if (what) this.progress.now = what;
    setCurrentDetails(deploymentText(this.progress));
  }

  /** Tells the execution, which lives or not, how a deployment ends that has no result: a cancelled one loses it. */
  async tell(what: string): Promise<void> {
    this.show(what);
    const { parent } = workflowInfo();
    if (!parent) return;
    await always(() =>
      getExternalWorkflowHandle(parent.workflowId, parent.runId)
        .signal(PROGRESS, this.progress)
        .catch(() => undefined),
    );
  }
}

function found<T extends { readonly id: string }>(nodes: readonly T[], id: string): T {
  const node = nodes.find((known) => known.id === id);
  if (!node) throw new Error(`the topology has no node ${id}`);
  return node;
}

import { packageLabel, type AemArtifact, type DispatcherArtifact } from '../model/artifacts.ts';
import type { ConfigurationInput, NodeRef } from '../model/activities.ts';
import type { DeploymentInput } from '../model/deployment.ts';
import type { Dispatcher, Instance } from '../model/schema/definition.ts';
import { workflowInfo } from '@temporalio/workflow';
import { installing, onNode } from './activities.ts';
import type { Report } from './deployment-report.ts';
import { failure, understood } from './failures.ts';
import { always } from './scopes.ts';

/** What is done to single nodes during one deployment. Every change of a node's state goes into the report. */
export class NodeWork {
  readonly input: DeploymentInput;
  readonly report: Report;
  readonly deployment: string;

  constructor(input: DeploymentInput, report: Report) {
    this.input = input;
    this.report = report;
    // With the run, so that nothing an earlier program of the same numbers left behind is taken for this one's.
    const { parent, runId } = workflowInfo();
    this.deployment = `${input.programId}-${input.executionId}-${input.environment.id}-${parent?.runId ?? runId}`;
  }

  node({ id }: { readonly id: string }): NodeRef {
    return { programId: this.input.programId, environmentId: this.input.environment.id, nodeId: id };
  }

  /** S3: all packages to one instance, in the order of their dependencies. */
  async install(instance: Instance, artifacts: readonly AemArtifact[]): Promise<void> {
    const { packages } = this.report.instance(instance.id);
    for (const artifact of artifacts) {
      const label = packageLabel(artifact.package.id);
      const progress = packages.find((known) => known.label === label);
      const state = (next: (typeof packages)[number]['state']) => {
        if (progress) progress.state = next;
        this.report.show();
      };
      state('installing');
      try {
        const { seconds } = await installing.installPackage.executeWithOptions(
          { summary: `Install ${artifact.package.id.name} ${artifact.package.id.version} on ${instance.id}` },
          [{ deployment: this.deployment, instance, artifact, log: this.input.log }],
        );
        if (progress) progress.seconds = seconds;
        state('new');
      } catch (error) {
        const { type, message } = understood(error);
        // What AEM refuses leaves it as it was; any other end may have come after a part of the installation.
        state(
          type === 'Rejected' || type === 'Denied' || type === 'InvalidArtifact' ? 'rejected' : 'unknown',
        );
        throw failure(type, `${instance.id}: ${message}`);
      }
    }
  }

  /** Without it nothing of its leg would be finished: one that is away is waited for. */
  askAgent(dispatcher: Dispatcher): Promise<void> {
    const node = this.node(dispatcher);
    return this.beforeAnyChange(dispatcher, () =>
      onNode(node).checkAgent.executeWithOptions({ summary: `Ask the agent of ${dispatcher.id}` }, [
        { node },
      ]),
    );
  }

  /** S4: the first part, which changes nothing of what serves. */
  backUp(dispatcher: Dispatcher, artifact: DispatcherArtifact): Promise<void> {
    const agent = onNode(this.node(dispatcher));
    return this.beforeAnyChange(dispatcher, () =>
      agent.backUpConfiguration.executeWithOptions(
        { summary: `Back up the configuration on ${dispatcher.id}` },
        [this.configurationInput(dispatcher, artifact)],
      ),
    );
  }

  private async beforeAnyChange({ id }: Dispatcher, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { type, message } = understood(error);
      throw failure(type, `${id}: ${message} (nothing of its leg was changed)`);
    }
  }

  private configurationInput(dispatcher: Dispatcher, artifact: DispatcherArtifact): ConfigurationInput {
    return { node: this.node(dispatcher), deployment: this.deployment, artifact, log: this.input.log };
  }

  /** S4: the configuration that was backed up is replaced; whatever goes wrong, the old one is back and serving. */
  async configure(dispatcher: Dispatcher, artifact: DispatcherArtifact): Promise<void> {
    const progress = this.report.dispatcher(dispatcher.id);
    const agent = onNode(this.node(dispatcher));
    const input = this.configurationInput(dispatcher, artifact);
    const on = (what: string) => ({ summary: `${what} on ${dispatcher.id}` });
    progress.configuration = 'changing';
    this.report.show();
    try {
      await agent.replaceConfiguration.executeWithOptions(on('Replace the configuration'), [input]);
      await agent.testConfiguration.executeWithOptions(on('Apache config test'), [input]);
      await agent.reloadHttpd.executeWithOptions(on('Reload httpd'), [input]);
      progress.configuration = 'new';
      this.report.show();
    } catch (error) {
      const { type, message } = understood(error);
      progress.configuration = await this.restore(dispatcher);
      this.report.show();
      throw failure(type, `${dispatcher.id}: ${message} (configuration now: ${progress.configuration})`);
    }
  }

  private async restore(dispatcher: Dispatcher): Promise<'old' | 'new' | 'inconsistent'> {
    const input = { node: this.node(dispatcher), deployment: this.deployment, log: this.input.log };
    try {
      return await always(() =>
        onNode(input.node).restoreConfiguration.executeWithOptions(
          { summary: `Restore the configuration on ${dispatcher.id}` },
          [input],
        ),
      );
    } catch (error) {
      understood(error);
      return 'inconsistent';
    }
  }

  /** S5: each configured path from one dispatcher's cache. */
  async flush(dispatcher: Dispatcher): Promise<void> {
    const { flush, invalidate, log } = this.input;
    if (flush.length + invalidate.length === 0) return;
    const flushed = await onNode(this.node(dispatcher)).flushPaths.executeWithOptions(
      { summary: `Flush ${flush.length + invalidate.length} paths on ${dispatcher.id}` },
      [{ node: this.node(dispatcher), flush, invalidate, log }],
    );
    this.report.dispatcher(dispatcher.id).flushed = flushed;
    const refused = flushed.filter(({ ok }) => !ok);
    if (refused.length > 0)
      throw failure(
        'Rejected',
        `${dispatcher.id} did not flush ${refused.map(({ path, answer }) => `${path} (${answer})`).join(', ')}`,
      );
  }
}

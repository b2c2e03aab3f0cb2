import type { DeploymentProgress } from '../model/deployment.ts';
import type { ExecutionState } from '../model/execution.ts';

/** Says, line by line, what has changed since it was last shown an execution. */
export function progress(say: (line: string) => void): (state: ExecutionState) => void {
  const known = new Map<string, string>();
  const changed = (key: string, value: string, before = '') => {
    if ((known.get(key) ?? before) === value) return false;
    known.set(key, value);
    return true;
  };

  const deployment = ({ environmentName, instances, dispatchers, legs }: DeploymentProgress) => {
    const about = (node: string, what: string) =>
      say(`    ${environmentName.padEnd(11)} ${node.padEnd(12)} ${what}`);
    for (const { id, packages } of instances)
      for (const { label, state } of packages)
        if (changed(`${environmentName} ${id} ${label}`, state, 'old')) about(id, `${label} ${state}`);
    for (const { id, configuration, service } of dispatchers) {
      if (changed(`${environmentName} ${id} service`, service, 'in service')) about(id, service);
      const atFirst = configuration === 'old' ? 'old' : 'unchanged';
      if (changed(`${environmentName} ${id} configuration`, configuration, atFirst))
        about(id, `configuration ${configuration}`);
    }
    for (const { name, state } of legs)
      if (changed(`${environmentName} leg ${name}`, state, 'OLD')) about(`leg ${name}:`, state);
  };

  return (state) => {
    for (const step of state.steps) {
      const status = step.notRun ? `not run: ${step.notRun}` : step.status;
      if (changed(step.id, status, 'NOT_STARTED'))
        say(
          `${step.stage.padEnd(22)} ${step.title.padEnd(31)} ${status}${step.details && !step.notRun ? `  ${step.details}` : ''}`,
        );
    }
    state.deployments.forEach(deployment);
  };
}

import { SCHEDULE_HORIZON_MS } from '../model/timeouts.ts';
import type { Messages, Schedule } from '../model/messages.ts';
import type { StepId, StepStatus } from '../model/steps.ts';
import { failure } from './failures.ts';
import { handle } from './inbox.ts';
import type { Run } from './run.ts';

/** The messages that an execution takes, and the steps in which it waits for one. */
export function receiveMessages(run: Run, cancel: () => void): void {
  const ignore = run.ignore.bind(run);
  const decision = <N extends 'approve' | 'schedule' | 'cseSupport' | 'override'>(
    name: N,
    description: string,
    inWords: (message: Messages[N]) => string,
    comment: (message: Messages[N]) => string | undefined,
  ) =>
    handle(
      name,
      {
        description,
        refuse: (message) => run.refuseDecision(name, message),
        accept: (message) => run.decide(message, inWords(message), comment(message)),
      },
      ignore,
    );

  decision(
    'approve',
    'Approve or reject the production deployment: {executionId, by, approved, comment?}',
    ({ approved }) => (approved ? 'approved' : 'rejected'),
    ({ comment }) => comment,
  );
  decision(
    'schedule',
    'When to deploy to production: {executionId, by, at: ISO time with offset or NOW, timeZone}',
    ({ at, timeZone }) => (at === 'NOW' ? 'scheduled for now' : `scheduled for ${at} (${timeZone})`),
    () => undefined,
  );
  decision(
    'cseSupport',
    'A Customer Success Engineer starts or refuses the production deployment: {executionId, by, start, comment?}',
    ({ start }) => (start ? 'CSE started the deployment' : 'CSE refused the deployment'),
    ({ comment }) => comment,
  );
  decision(
    'override',
    'Accept or reject failing important metrics: {executionId, by, step, metrics: [{kpi, override}], comment?}',
    ({ step, metrics }) =>
      metrics.every(({ override }) => override)
        ? `accepted ${metrics.map(({ kpi }) => kpi).join(', ')} of ${step}`
        : `rejected the results of ${step}`,
    ({ comment }) => comment,
  );
  handle(
    'cancel',
    {
      description: 'Cancel the execution; every node is left serving: {executionId, by, reason?}',
      refuse: (message) =>
        run.refuseSender(message) ??
        (run.state.status === 'RUNNING' ? undefined : `the execution is ${run.state.status} already`),
      accept: ({ by, reason }) => {
        run.cancelledBy = by;
        run.note('execution', by, 'cancelled', reason);
        cancel();
        return 'cancelling';
      },
    },
    ignore,
  );
}

/** X1: somebody approves the production deployment. */
export async function approval(run: Run): Promise<void> {
  const { approved, by, comment } = await run.ask({
    step: 'approval',
    message: 'approve',
    question: ['Approve the production deployment?', ...run.state.warnings].join(' Note: '),
  });
  if (!approved) throw failure('Refused', `rejected by ${by.subject}${comment ? `: ${comment}` : ''}`);
  detail(run, 'approval', `approved by ${by.subject}`);
}

/** X2: somebody says when; until that instant it may be moved, also to now. */
export async function scheduledTime(run: Run): Promise<void> {
  const question = {
    step: 'schedule',
    message: 'schedule',
    question: 'When is the production deployment to begin?',
    refuse: ({ at }: Schedule) => {
      if (at === 'NOW') return undefined;
      const ahead = Date.parse(at) - Date.now();
      if (ahead <= 0) return `${at} is in the past; it is ${new Date().toISOString()} now`;
      return ahead > SCHEDULE_HORIZON_MS ? `${at} is more than 90 days ahead` : undefined;
    },
  } as const;
  let answer: Schedule | undefined = await run.ask(question);
  while (answer && answer.at !== 'NOW') {
    const at = new Date(answer.at).toISOString();
    run.state.scheduledFor = { at, timeZone: answer.timeZone };
    detail(
      run,
      'schedule',
      `scheduled for ${answer.at} (${answer.timeZone}) by ${answer.by.subject}`,
      'RUNNING',
    );
    answer = await run.receive(
      { ...question, question: `Production deployment at ${at}` },
      Date.parse(at) - Date.now(),
    );
  }
  if (answer) detail(run, 'schedule', `now, by ${answer.by.subject}`);
  run.state.scheduledFor = undefined;
}

/** X3: a Customer Success Engineer starts the deployment. */
export async function cseSupport(run: Run): Promise<void> {
  const { pipeline } = run.input;
  const whose = pipeline.type === 'production' && pipeline.cse === 'MY_CSE' ? 'Your' : 'A';
  const { start, by, comment } = await run.ask({
    step: 'managed',
    message: 'cseSupport',
    question: `${whose} Customer Success Engineer starts the deployment?`,
  });
  if (!start) throw failure('Refused', `refused by ${by.subject}${comment ? `: ${comment}` : ''}`);
  detail(run, 'managed', `started by ${by.subject}`);
}

function detail(run: Run, id: StepId, details: string, status?: StepStatus): void {
  const step = run.state.steps.find((known) => known.id === id);
  if (!step) return;
  step.details = details;
  if (status) step.status = status;
  if (status) run.show(step);
}

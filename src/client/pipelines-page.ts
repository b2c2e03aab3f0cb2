import { kinds, skippingTheBalancer, stepTitle, type Kind } from '../model/steps.ts';

/** The page `docs/reference-pipelines.md`: which steps each kind of execution has, from the table that workflows read. */
export function pipelinesPage(): string {
  return [
    '# Reference: pipelines',
    'Made by `npm run reference` from the table in `src/model/steps.ts`. Application for Approval, Schedule Production Deployment and CSE Support are part of an execution where its pipeline is configured so.',
    ...(kinds as readonly Kind[]).flatMap(section),
    '## Skipping the load balancer',
    `With \`skipDetachingDispatchers\` ${skippingTheBalancer}. Anything else is refused.`,
    '',
  ].join('\n\n');
}

const flavours = { aem_managed_services: 'Managed Services', aem_cloud_service: 'Cloud Service' } as const;

function section(kind: Kind): string[] {
  const { title, flavours: of, stages, notInEmergency = [], versioned } = kind;
  const rows = stages.map(
    ([stage, steps]) =>
      `| ${stage} | ${steps.map((step) => `${stepTitle(step, kind)} (\`${step}\`)`).join(' · ')} |`,
  );
  const notes = [
    `Flavour: ${of.map((flavour) => flavours[flavour]).join(', ')}.`,
    versioned ? 'Its build gets a version.' : '',
    notInEmergency.length > 0
      ? `Emergency mode leaves out ${notInEmergency.map((step) => stepTitle(step, kind)).join(', ')}.`
      : '',
  ];
  return [
    `## ${title.replace(/^an? /, '').replace(/^./, (letter) => letter.toUpperCase())}`,
    notes.filter(Boolean).join(' '),
    ['| stage | steps |', '|---|---|', ...rows].join('\n'),
  ];
}

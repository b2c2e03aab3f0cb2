import type { Rule } from '../rule.ts';
import { rules } from '../rules/all.ts';

const headings: Readonly<Record<keyof typeof rules, string>> = {
  packages: 'Packages',
  indexes: 'Index definitions',
  dispatcher: 'Dispatcher and httpd',
};

/** All rules as Markdown, for docs/scanning.md. */
export function rulesAsMarkdown(): string {
  return (Object.keys(rules) as (keyof typeof rules)[])
    .map((group) =>
      [
        `### ${headings[group]}`,
        '',
        '| rule | type, severity | finds | remedy |',
        '| --- | --- | --- | --- |',
        ...rules[group].map(row),
      ].join('\n'),
    )
    .join('\n\n');
}

function row(rule: Rule): string {
  const words = ({ type, severity }: Pick<Rule, 'type' | 'severity'>) =>
    `${type.toLowerCase().replace('_', ' ')}, ${severity.toLowerCase()}`;
  const marks = [
    rule.onCloud && `on the Cloud Service ${words({ ...rule, ...rule.onCloud })}`,
    rule.only === 'cloud' && 'Cloud Service only',
    rule.cloudService && 'compatibility',
  ].filter(Boolean);
  const judged = [words(rule), ...marks].join('; ');
  return `| \`${rule.key}\` | ${judged} | ${[rule.finds, rule.remedy].map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
}

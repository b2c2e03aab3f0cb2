import type { Rule } from '../rule.ts';
import { dispatcherChecks } from './dispatcher.ts';
import { dispatcherSyntaxChecks } from './dispatcher-syntax.ts';
import { indexContentChecks } from './index-content.ts';
import { definitionChecks } from './index-definitions.ts';
import { osgiChecks } from './osgi.ts';
import { packageChecks } from './packages.ts';
import { siteChecks } from './sites.ts';

export const contentChecks = [
  ...packageChecks,
  ...osgiChecks,
  ...siteChecks,
  ...definitionChecks,
  ...indexContentChecks,
];

export const allDispatcherChecks = [...dispatcherChecks, ...dispatcherSyntaxChecks];

/** Every rule, by what it is about: documents and outputs are made from this. */
export const rules: Readonly<Record<'packages' | 'indexes' | 'dispatcher', readonly Rule[]>> = {
  packages: [...packageChecks, ...osgiChecks, ...siteChecks].map(({ rule }) => rule),
  indexes: [...definitionChecks, ...indexContentChecks].map(({ rule }) => rule),
  dispatcher: allDispatcherChecks.map(({ rule }) => rule),
};

export const allRules: readonly Rule[] = Object.values(rules).flat();

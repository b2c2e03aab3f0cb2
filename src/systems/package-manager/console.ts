import { z } from 'zod';
import { read } from './answers.ts';
import { askText, type Endpoint } from './http.ts';
import type { PackageManager } from './package-manager.ts';

const bundleList = z.object({
  data: z.array(
    z.object({
      id: z.number(),
      symbolicName: z.string(),
      version: z.string().catch(''),
      fragment: z.boolean().catch(false),
      stateRaw: z.number(),
      state: z.string().catch(''),
    }),
  ),
});
const bundleDetails = z.object({
  data: z.array(z.object({ props: z.array(z.object({ key: z.string(), value: z.unknown() })).catch([]) })),
});

/** The bundles of an instance as Felix' web console shows them, `/system/console`: AEM and Sling have the same. */
export const webConsole = (to: Endpoint): Pick<PackageManager, 'bundles' | 'bundle'> => ({
  async bundles(signal) {
    const answer = await askText(to, { path: '/system/console/bundles.json', signal });
    return read(bundleList, answer, to.url).data.map(({ stateRaw, state, ...rest }) => ({
      ...rest,
      state: stateRaw,
      stateName: state,
    }));
  },

  async bundle(id, signal) {
    const answer = await askText(to, { path: `/system/console/bundles/${id}.json`, signal });
    const props = read(bundleDetails, answer, to.url).data[0]?.props ?? [];
    const lines = (key: string) =>
      props
        .filter((prop) => prop.key === key)
        .flatMap(({ value }) => (Array.isArray(value) ? value : [value]).map(String));
    return {
      lazy: lines('Manifest Headers').some((line) => /^Bundle-ActivationPolicy:\s*lazy\b/i.test(line)),
      problems: lines('Imported Packages')
        .filter((line) => line.startsWith('ERROR: '))
        .map((line) => line.slice('ERROR: '.length)),
    };
  },
});

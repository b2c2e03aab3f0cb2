import type { Environment } from '../../model/schema/definition.ts';
import type { Secrets } from '../secrets.ts';

/** An instance as the project's own tests are told of it. */
export interface InstanceUnderTest {
  readonly runMode: 'author' | 'publish';
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** The first author and the first publish instance: Cloud Manager knows one of each. */
export async function instancesUnderTest(
  { author, publish }: Pick<Environment, 'author' | 'publish'>,
  secret: Secrets,
): Promise<InstanceUnderTest[]> {
  const first = [
    ...author.slice(0, 1).map((instance) => ({ ...instance, runMode: 'author' as const })),
    ...publish.slice(0, 1).map((instance) => ({ ...instance, runMode: 'publish' as const })),
  ];
  return Promise.all(
    first.map(async ({ runMode, url, credentials }) => {
      const [user = '', ...rest] = (await secret(credentials)).split(':');
      return { runMode, url, user, password: rest.join(':') };
    }),
  );
}

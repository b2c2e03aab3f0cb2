import { join } from 'node:path';
import type { Instance } from '../model/schema/definition.ts';
import { packageManagerOf } from '../systems/package-manager/choose.ts';
import { buildPackage } from './content-package.ts';

/** The release that the local environments hold before anything is deployed. */
export const FIRST_VERSION = '0.9.0';

const NAMESPACES =
  'xmlns:sling="http://sling.apache.org/jcr/sling/1.0" xmlns:cq="http://www.day.com/jcr/cq/1.0" xmlns:jcr="http://www.jcp.org/jcr/1.0"';

const page = (title: string) => `<?xml version="1.0" encoding="UTF-8"?>
<jcr:root ${NAMESPACES} jcr:primaryType="cq:Page">
  <jcr:content jcr:primaryType="cq:PageContent" jcr:title="${title}" sling:resourceType="site/components/page"/>
</jcr:root>
`;

const script = `<!DOCTYPE html>
<html lang="en">
  <head><meta name="site-version" content="site ${FIRST_VERSION}"><title>\${properties.jcr:title}</title></head>
  <body><h1>\${properties.jcr:title}</h1></body>
</html>
`;

/**
 * Puts the first release of the example site on an instance, as an administrator would have done by hand.
 * @param instance its credentials are `user:password` themselves
 */
export async function installFirstRelease(
  instance: Pick<Instance, 'url' | 'credentials' | 'packageManager'>,
  folder: string,
): Promise<void> {
  const file = join(folder, 'first-release.zip');
  const id = { group: 'com.example.site', name: 'site.first', version: FIRST_VERSION };
  await buildPackage(file, {
    ...id,
    packageType: 'mixed',
    filterRoots: ['/apps/site/components', '/content/site'],
    files: {
      'apps/site/components/page/page.html': script,
      'content/site/.content.xml': page('Site'),
      'content/site/en/.content.xml': page('Welcome'),
      'content/site/en/news/.content.xml': page('News'),
    },
  });
  const manager = packageManagerOf(instance, instance.credentials);
  const { path } = await manager.upload(file);
  await manager.install(path);
}

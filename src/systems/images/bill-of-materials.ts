import { createHash } from 'node:crypto';
import type { ImageRole } from '../../model/images.ts';
import { fairwayVersion } from '../version.ts';
import type { ImageInLayout } from './builder.ts';
import type { Content } from './contents.ts';

/**
 * What is inside an image, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): packages with what is embedded in
 * them, or the files of a configuration, and the base image. The same image gives the same document: no time stamps.
 */
export function billOfMaterials(
  role: ImageRole,
  { digest, base }: ImageInLayout,
  labels: Readonly<Record<string, string>>,
  contents: readonly Content[],
): string {
  const hex = digest.replace(/^sha256:/, '');
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidFrom(digest)}`,
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'fairway', version: fairwayVersion }] },
      component: {
        type: 'container',
        'bom-ref': digest,
        name: labels['org.opencontainers.image.title'] ?? role,
        version: digest,
        hashes: [{ alg: 'SHA-256', content: hex }],
        properties: Object.entries(labels).map(([name, value]) => ({ name, value })),
      },
    },
    components: [
      ...(base ? [{ type: 'container', 'bom-ref': 'base', name: base.name, version: base.digest }] : []),
      ...contents.map((content) => component(content, '')),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function component(content: Content, holder: string): object {
  const { kind, group, name, version, sha256, maven, path, size, runModes, contents } = content;
  const reference = holder + path;
  return {
    type: { package: 'application', bundle: 'library', file: 'file' }[kind],
    'bom-ref': reference,
    ...(group ? { group } : maven ? { group: maven.group } : {}),
    name,
    ...(version && { version }),
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    ...(maven && { purl: mavenUrl(maven) }),
    properties: [
      { name: 'fairway:kind', value: kind },
      { name: 'fairway:path', value: path },
      { name: 'fairway:size', value: String(size) },
      ...(runModes.length > 0 ? [{ name: 'fairway:runModes', value: runModes.join(' ') }] : []),
    ],
    ...(contents.length > 0 && {
      components: contents.map((inner) => component(inner, `${reference}!`)),
    }),
  };
}

/** https://github.com/package-url/purl-spec */
const mavenUrl = ({ group, artifact, version }: NonNullable<Content['maven']>) =>
  `pkg:maven/${[group, artifact].map(encodeURIComponent).join('/')}@${encodeURIComponent(version)}`;

/** A UUID made from a name (RFC 9562, version 8). */
function uuidFrom(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}

import { coveringFilter, isBelow } from '../content/filter.ts';
import { isImmutable, meet, nodeAt, nodes, type ContentModel } from '../content/model.ts';
import type { RepositoryNode } from '../content/node.ts';
import type { ScannedPackage } from '../content/package.ts';
import type { Check, Place } from '../rule.ts';

export const unreadable: Check<ContentModel> = {
  rule: {
    key: 'fairway:UnreadableFile',
    type: 'BUG',
    severity: 'MAJOR',
    title: 'Files of a package can be read',
    finds:
      'Files below `jcr_root` or `META-INF/vault` that are broken XML, declare entities, are too large, or are not text in UTF-8',
    remedy: 'Mend the file: AEM refuses or misreads the package. Nothing in this file was looked at.',
  },
  check: ({ packages }, report) => {
    for (const one of packages)
      for (const { place, problem } of one.unreadable) report(place, `The file cannot be read: ${problem}`);
  },
};

export const bannedPath: Check<ContentModel> = {
  rule: {
    key: 'BannedPath',
    type: 'BUG',
    severity: 'BLOCKER',
    onCloud: { severity: 'CRITICAL' },
    title: 'Packages leave /libs alone',
    finds: 'A filter root in `/libs`, or content that a wider filter writes there',
    remedy: 'Overlay the resource in `/apps` instead: updates of AEM replace `/libs`.',
  },
  check: ({ packages }, report) => {
    for (const one of packages) {
      for (const { root, place } of one.filters)
        if (isBelow(root, '/libs')) report(place, `The package writes to ${root}, which belongs to AEM`);
      const top = topmost(nodeAt(one, '/libs'), ({ own, path }) => {
        const filter = coveringFilter(one.filters, path);
        return own && (one.filters.length === 0 || (filter !== undefined && !isBelow(filter.root, '/libs')));
      });
      for (const { place, path } of top) report(place, `The package writes ${path}, which belongs to AEM`);
    }
  },
};

/** The nodes nearest to the root that fit. */
function topmost(
  node: RepositoryNode | undefined,
  fits: (node: RepositoryNode) => boolean,
): RepositoryNode[] {
  if (!node) return [];
  return fits(node) ? [node] : [...node.children.values()].flatMap((child) => topmost(child, fits));
}

export const packageOverlaps: Check<ContentModel> = {
  rule: {
    key: 'PackageOverlaps',
    type: 'BUG',
    severity: 'MAJOR',
    title: 'Packages do not overlap',
    finds:
      'Two packages that the same instances take and that write the same path, or of which one deletes what the other writes',
    remedy:
      'Give each path to one package. A package that reaches AEM inside another one needs the property `cloudManagerTarget` with the value `none`.',
  },
  check: ({ packages }, report) => {
    packages.forEach((later, index) => {
      for (const earlier of packages.slice(0, index)) {
        if (!meet(earlier.runModes, later.runModes)) continue;
        const [first, ...others] = sharedPaths(earlier, later);
        if (!first) continue;
        const more = others.length > 0 ? ` and ${others.length} more` : '';
        report(
          first.place,
          earlier.id !== undefined && earlier.id === later.id
            ? `${first.path}${more}: ${later.id} is deployed twice, as ${earlier.label} and as ${later.label}`
            : `${first.path}${more} is also in reach of ${earlier.label}`,
        );
      }
    });
  },
};

/** Paths that both write, and paths that one writes and the other's filter would empty. */
function sharedPaths(a: ScannedPackage, b: ScannedPackage): { path: string; place: Place }[] {
  const near =
    a.filters.length === 0 ||
    b.filters.length === 0 ||
    a.filters.some((one) =>
      b.filters.some((other) => isBelow(one.root, other.root) || isBelow(other.root, one.root)),
    );
  if (!near) return [];
  const written = (one: ScannedPackage) =>
    new Map([...nodes({ packages: [one] })].map(({ node }) => [node.path, node.place]));
  const [inA, inB] = [written(a), written(b)];
  const empties = (one: ScannedPackage, path: string) =>
    coveringFilter(one.filters, path)?.mode === 'replace';
  return [
    ...[...inB].filter(([path]) => inA.has(path) || empties(a, path)),
    ...[...inA].filter(([path]) => !inB.has(path) && empties(b, path)),
  ].map(([path, place]) => ({ path, place }));
}

export const mixedPackage: Check<ContentModel> = {
  rule: {
    key: 'ImmutableMutableMixedPackage',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    cloudService: true,
    title: 'Packages hold code or content, not both',
    finds: 'A package that writes below `/apps` or `/libs` and elsewhere too',
    remedy: 'Split it in two: the Cloud Service installs code and content at different times.',
  },
  check: ({ packages }, report) => {
    for (const one of packages) {
      // Index definitions are deployed with the code.
      const isMutable = (path: string) => !isImmutable(path) && !isBelow(path, '/oak:index') && path !== '/';
      const mutableRoot = one.filters.find(({ root }) => isMutable(root));
      const immutable = one.filters.some(({ root }) => isImmutable(root));
      if (one.filters.length > 0 && mutableRoot && immutable)
        report(mutableRoot.place, `The package writes to ${mutableRoot.root} besides /apps`);
      const own = one.filters.length > 0 ? [] : [...nodes({ packages: [one] })].map(({ node }) => node);
      const content = own.find(({ path }) => isMutable(path));
      if (content && own.some(({ path }) => isImmutable(path)))
        report(content.place, `The package writes ${content.path} besides /apps`);
    }
  },
};

export const filterMode: Check<ContentModel> = {
  rule: {
    key: 'FilterXmlModeAnalysis',
    type: 'CODE_SMELL',
    severity: 'MAJOR',
    title: 'Filters keep the content of people',
    finds:
      'A filter root at or below `/content`, `/etc` or `/var` in the mode `replace`, which is also the default',
    remedy:
      'Set `mode="merge_properties"` or `mode="update_properties"`, or move the content out of the deployment.',
  },
  check: ({ packages }, report) => {
    for (const { filters } of packages)
      for (const { root, mode, place } of filters)
        if (mode === 'replace' && ['/content', '/etc', '/var'].some((parent) => isBelow(root, parent)))
          // Packages inside packages are files below /etc/packages, and those are the package's own.
          if (!isBelow(root, '/etc/packages'))
            report(
              place,
              `The filter ${root} replaces what people have made there since the last deployment`,
            );
  },
};

export const packageChecks: readonly Check<ContentModel>[] = [
  unreadable,
  bannedPath,
  packageOverlaps,
  mixedPackage,
  filterMode,
];

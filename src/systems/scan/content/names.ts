/**
 * The repository path of a file or folder below `jcr_root`, by FileVault's platform name format
 * (https://jackrabbit.apache.org/filevault/vaultfs.html): `_cq_dialog` is `cq:dialog`, `__x` is `_x`, `%3a` is a colon.
 */
export function repositoryPath(filePath: string): string {
  return `/${filePath.split('/').filter(Boolean).map(repositoryName).join('/')}`;
}

function repositoryName(fileName: string): string {
  const withoutSuffix = fileName.replace(/\.dir$/, '');
  const [, prefix, local] = /^_([^_]+)_(.+)$/.exec(withoutSuffix) ?? [];
  const name = prefix && local ? `${prefix}:${local}` : withoutSuffix.replace(/^__/, '_');
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

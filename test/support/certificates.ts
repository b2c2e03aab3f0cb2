import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../src/systems/process.ts';

export interface Certificate {
  readonly crt: string;
  readonly key: string;
}

/** A certificate authority of its own in `folder`, and certificates that it signs. */
export async function certificateAuthority(folder: string) {
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await run('openssl', args, { cwd: folder });
    if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca: Certificate = { crt: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    ca.key,
    '-out',
    ca.crt,
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  );
  return {
    crt: ca.crt,
    /** @param days how long it is valid from now on; none at all and less makes it one that has expired */
    async issue(name: string, days = 2): Promise<Certificate> {
      const [crt, own, request, extra] = ['crt', 'key', 'csr', 'ext'].map((end) =>
        join(folder, `${name}.${end}`),
      ) as [string, string, string, string];
      await writeFile(extra, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
      await openssl('req', '-new', ...key, '-keyout', own, '-out', request, '-subj', `/CN=${name}`);
      await openssl(
        ...['x509', '-req', '-in', request, '-CA', ca.crt, '-CAkey', ca.key, '-CAcreateserial'],
        ...['-out', crt, '-extfile', extra, '-days', String(days)],
      );
      return { crt, key: own };
    },
  };
}

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A JAR whose manifest has these headers, with these files in it. */
export async function jarOf(
  headers: Readonly<Record<string, string>>,
  files: Readonly<Record<string, Buffer>> = {},
): Promise<Buffer> {
  const lines = Object.entries({ 'Manifest-Version': '1.0', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`${lines.join('')}\r\n`), 'META-INF/MANIFEST.MF');
  for (const [name, content] of Object.entries(files)) zip.addBuffer(content, name);
  zip.end();
  return buffer(zip.outputStream);
}

export const testJarHeaders = { 'Cloud-Manager-TestType': 'integration-test' };

/** Compiles classes of the default package; gives the class file of each. */
export async function compileJava(
  folder: string,
  classPath: string,
  sources: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, Buffer>>> {
  const out = join(folder, 'classes');
  await mkdir(out, { recursive: true });
  const files = Object.entries(sources).map(([name, text]) => [join(folder, `${name}.java`), text] as const);
  for (const [path, text] of files) await writeFile(path, text);
  await promisify(execFile)('javac', ['-cp', classPath, '-d', out, ...files.map(([path]) => path)]);
  const classes = await readdir(out);
  return Object.fromEntries(
    await Promise.all(classes.map(async (name) => [name, await readFile(join(out, name))] as const)),
  );
}

import { cp, lchown, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, messageOf } from '../systems/failure.ts';
import { askHttp } from '../systems/http-ask.ts';
import { pause } from '../systems/pause.ts';
import { startChild } from './child.ts';
import { freePorts } from './ports.ts';

/** A running SonarQube, empty. */
export interface Sonarqube {
  readonly url: string;
  /** A token of its administrator. */
  readonly token: string;
  stop(): Promise<void>;
}

/** A minute on a machine that has nothing else to do. */
const READY_WITHIN_MS = 10 * 60_000;
const POLL_MS = 500;
const ADMINISTRATOR = `Basic ${Buffer.from('admin:admin').toString('base64')}`;
/** The user and group `nobody`. */
const NOBODY = 65534;
/** They start sooner so, and there is little to do. */
const SMALL = '-XX:+UseSerialGC -XX:TieredStopAtLevel=1';

/**
 * Starts a SonarQube on loopback from a copy of `installation` in `folder`, and waits until it takes questions. Its
 * search engine refuses to run as root: root starts it as nobody, to whom it gives `folder`.
 */
export async function startSonarqube(installation: string, folder: string): Promise<Sonarqube> {
  const home = join(folder, 'sonarqube');
  await cp(installation, home, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await giveToNobody(folder);
  const [web = 0, search = 0, database = 0] = await freePorts(3);
  const url = `http://127.0.0.1:${web}`;
  const logFile = join(folder, 'sonarqube.log');
  const settings = {
    'sonar.web.host': '127.0.0.1',
    'sonar.web.port': String(web),
    'sonar.web.javaOpts': `-Xms128m -Xmx384m ${SMALL}`,
    'sonar.ce.javaOpts': `-Xms64m -Xmx256m ${SMALL}`,
    'sonar.search.host': '127.0.0.1',
    'sonar.search.port': String(search),
    // Elasticsearch brings its own garbage collector.
    'sonar.search.javaOpts': '-Xms256m -Xmx256m -XX:TieredStopAtLevel=1',
    'sonar.embeddedDatabase.port': String(database),
    'sonar.telemetry.enable': 'false',
    'sonar.updatecenter.activate': 'false',
  };
  const server = ['java', '-Xmx64m', ...SMALL.split(' '), '-jar', await application(home)];
  const as = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--pdeathsig=KILL'];
  const [program = '', ...args] = [
    ...(isRoot ? as : []),
    ...server,
    ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
  ];
  const child = startChild(program, args, { logFile, cwd: home, env: { ...process.env, HOME: home } });
  try {
    await untilUp(url, logFile, () => child.end());
    return { url, token: await newToken(url), stop: () => child.stop() };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function giveToNobody(folder: string): Promise<void> {
  await lchown(folder, NOBODY, NOBODY);
  for (const entry of await readdir(folder, { recursive: true }))
    await lchown(join(folder, entry), NOBODY, NOBODY);
}

async function application(home: string): Promise<string> {
  const jar = (await readdir(join(home, 'lib'))).find((file) => file.startsWith('sonar-application-'));
  if (!jar) throw new Failure('Missing', `there is no SonarQube in ${home}`);
  return join('lib', jar);
}

async function untilUp(url: string, logFile: string, ended: () => string | undefined): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const state = await askHttp(new URL(`${url}/api/system/status`)).then(({ body }) => body, messageOf);
    if (state.includes('"status":"UP"')) return;
    if (ended() !== undefined || Date.now() > deadline)
      throw new Failure('NotReady', `SonarQube did not start (${ended()}): ${state.slice(0, 300)}`, {
        details: (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-20),
      });
    await pause(POLL_MS);
  }
}

async function newToken(url: string): Promise<string> {
  const { status, body } = await askHttp(new URL(`${url}/api/user_tokens/generate?name=fairway`), {
    method: 'POST',
    headers: { authorization: ADMINISTRATOR },
    timeOutMs: 60_000,
  });
  if (status !== 200) throw new Failure('NotReady', `SonarQube gives no token: status ${status}`);
  return (JSON.parse(body) as { token: string }).token;
}

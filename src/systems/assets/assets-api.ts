import { Failure } from '../failure.ts';
import { granite, type Account } from '../granite.ts';
import type { Answer, Question } from '../http-ask.ts';
import type { Sample } from './samples.ts';

/** Of one upload: AEM answers when it has taken the file, before it has made renditions of it. */
export const UPLOAD_TIME_OUT_MS = 60_000;

/**
 * AEM's Assets HTTP API, as far as an assets test needs it (AEM 6.5, "Assets HTTP API"). A folder `name` there is
 * `/content/dam/<name>`.
 */
export function assetsApi(author: Account) {
  const { url, credentials } = author;
  const user = credentials.replace(/:.*$/s, '');
  const { change } = granite(author);
  const ask = (path: string, question: Question) => change(`/api/assets/${path}`, question);
  const refused = (what: string, { status }: Answer) =>
    status === 401 || status === 403 || (status >= 300 && status < 400)
      ? new Failure(
          'Denied',
          `${url} does not let the user ${user} ${what} (status ${status}). Check the secret that holds its password, and its permissions below /content/dam.`,
        )
      : status >= 500 || status === 412
        ? new Failure('Unavailable', `${url} could not ${what} (status ${status}).`)
        : new Failure(
            'Rejected',
            `${url} did not ${what} (status ${status}): is this an AEM author with Assets?`,
          );

  return {
    /** @throws Failure `Denied`, `Rejected` or `Unavailable`; a folder that is there already is `Rejected` (409). */
    async createFolder(name: string, title: string, signal?: AbortSignal): Promise<void> {
      const answer = await ask(name, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ class: 'assetFolder', properties: { title } }),
        signal,
      });
      if (answer.status !== 201) throw refused(`create the folder /content/dam/${name}`, answer);
    },

    /** The status of the answer; "rely on the response code", as there is no body for every type of file. */
    async upload(folder: string, name: string, file: Sample, signal?: AbortSignal): Promise<number> {
      const { status } = await ask(`${folder}/${name}`, {
        method: 'POST',
        headers: { 'content-type': file.contentType },
        body: file.content,
        signal,
        timeOutMs: UPLOAD_TIME_OUT_MS,
      });
      return status;
    },

    /** Removes a folder with all that is in it. One that is not there is no failure. @returns whether there was one */
    async removeFolder(name: string, signal?: AbortSignal): Promise<boolean> {
      const answer = await ask(name, { method: 'DELETE', signal, timeOutMs: UPLOAD_TIME_OUT_MS });
      if (answer.status === 404) return false;
      if (answer.status !== 200 && answer.status !== 204)
        throw refused(`remove the folder /content/dam/${name}`, answer);
      return true;
    },
  };
}

export type AssetsApi = ReturnType<typeof assetsApi>;

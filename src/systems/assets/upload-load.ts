import { messageOf } from '../failure.ts';
import { arrivals } from '../load/arrivals.ts';
import { tally, type Result, type Tallied } from '../load/tally.ts';
import { UPLOAD_TIME_OUT_MS, type AssetsApi } from './assets-api.ts';
import { sampleFiles } from './samples.ts';

export interface UploadOptions {
  readonly api: AssetsApi;
  /** Where to, below /content/dam; it exists. */
  readonly folder: string;
  readonly perMinute: number;
  /** How many of the files are images, 0 to 100; the others are PDF documents. */
  readonly imagesPercent: number;
  readonly durationMs: number;
  /** Ends everything at once: uploads under way are cut off. */
  readonly signal: AbortSignal;
  readonly onResult?: (result: Result) => void;
}

/** Uploads files at a constant rate. Never throws for what AEM does: that is the result. */
export async function uploadLoad(options: UploadOptions): Promise<Tallied<Result>> {
  const { api, folder, perMinute, imagesPercent, durationMs, signal, onResult } = options;
  const fileOf = sampleFiles();
  const all = tally<Result>(UPLOAD_TIME_OUT_MS);
  const images = (count: number) => Math.floor((count * imagesPercent) / 100);
  const add = (result: Result) => {
    all.add(result);
    onResult?.(result);
  };
  const minutes = await arrivals({ perSecond: perMinute / 60, durationMs, signal }, (arrival) => {
    const { number, due, dueMs, tooMany } = arrival;
    const isImage = images(number + 1) > images(number);
    const ofKind = isImage ? images(number) : number - images(number);
    const extension = isImage ? 'png' : 'pdf';
    const name = `${isImage ? 'image' : 'document'}-${ofKind}.${extension}`;
    const sent = { at: new Date().toISOString(), dueMs, path: name };
    if (tooMany)
      return add({ ...sent, ms: 0, answered: false, failure: 'not sent: too many uploads are under way' });
    return api.upload(folder, name, fileOf(extension, ofKind), signal).then(
      (status) => {
        const failure = status === 201 ? undefined : `status ${status}`;
        add({ ...sent, ms: Math.floor(performance.now() - due), answered: true, failure });
      },
      (error: unknown) =>
        add({ ...sent, ms: Math.floor(performance.now() - due), answered: false, failure: messageOf(error) }),
    );
  });
  return all.sum(minutes);
}

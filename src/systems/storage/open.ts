import { fileStorage, requireStorage, type FileStorageOptions } from './file-storage.ts';
import { isS3, s3Place } from './s3/place.ts';
import { requireS3, s3Storage } from './s3/s3-storage.ts';
import type { Storage } from './storage.ts';

export type StorageOptions = Pick<FileStorageOptions, 'patienceMs' | 'interruption'>;

/**
 * The storage at a place: a folder that somebody has made a storage of, or `s3://BUCKET/PREFIX`.
 * @throws Failure `InvalidInput` for a place that cannot be understood
 */
export const openStorage = (place: string, options: StorageOptions = {}): Storage =>
  isS3(place) ? s3Storage(s3Place(place), options) : fileStorage(place, { ...options, existing: true });

/** @throws Failure that says why the place cannot be used, and what to do */
export const requirePlace = async (place: string): Promise<void> =>
  isS3(place) ? requireS3(s3Place(place)) : requireStorage(place);

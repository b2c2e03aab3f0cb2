/** What a worker's process says on standard output once it takes tasks. */
export const READY = 'fairway worker: ready';

import { readFile } from 'node:fs/promises';

/** Resident memory of a bench worker in KiB, after it has collected its garbage. */
export async function memory({ pid }: { readonly pid: number }): Promise<number> {
  let last = Infinity;
  for (;;) {
    process.kill(pid, 'SIGUSR2');
    await new Promise((done) => setTimeout(done, 500));
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const now = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    if (now > last * 0.99) return now;
    last = now;
  }
}

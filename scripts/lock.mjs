import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/*
 * A lock between processes of one machine that a dead owner cannot keep. The lock is a folder that is held while a
 * file named after its owner is inside. Taking it renames a folder with our own file to that path, which works
 * exactly when there is no folder or an empty one; breaking a dead owner's lock removes exactly that owner's file.
 */

/** Runs `work` while this process holds the lock at `path`; `onWait` is called once when another one has it. */
export async function withLock(path, work, onWait = () => {}) {
  const me = `${process.pid}-${startOf(process.pid)}`;
  mkdirSync(dirname(path), { recursive: true });
  const mine = mkdtempSync(`${path}-`);
  writeFileSync(join(mine, me), '');
  try {
    for (let waited = false; !take(mine, path); waited = true) {
      if (!waited) onWait();
      breakDead(path);
      await pause(250);
    }
  } finally {
    rmSync(mine, { recursive: true, force: true });
  }
  try {
    return await work();
  } finally {
    unlinkSync(join(path, me));
  }
}

function take(mine, path) {
  try {
    renameSync(mine, path);
    return true;
  } catch (error) {
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
    throw error;
  }
}

function breakDead(path) {
  for (const owner of list(path)) {
    const [pid, start] = owner.split('-');
    if (startOf(Number(pid)) !== start) rmSync(join(path, owner), { force: true });
  }
}

function list(path) {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** When a process started, so that a later one with its number is told apart; `dead` when it has ended. */
function startOf(pid) {
  if (process.platform !== 'linux') {
    try {
      process.kill(pid, 0);
      return 'running';
    } catch (error) {
      return error.code === 'EPERM' ? 'running' : 'dead';
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'dead' : fields[19]; // an ended process stays as a zombie until it is waited for
  } catch {
    return 'dead';
  }
}

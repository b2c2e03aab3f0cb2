/** Times and durations as people read them. */

const parts = (at: Date, zone: string | undefined, withSeconds: boolean) => {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    ...(withSeconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
    timeZone: zone,
    timeZoneName: 'short',
  } as const);
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
};

/** `2026-11-24 18:30 CET`, in the zone given or in that of this machine. */
export function localTime(iso: string, zone?: string): string {
  const { year, month, day, hour, minute, timeZoneName } = parts(new Date(iso), zone, false);
  return `${year}-${month}-${day} ${hour}:${minute} ${timeZoneName}`;
}

/** `18:30:05`, in the zone of this machine. */
export function timeOfDay(iso: string): string {
  const { hour, minute, second } = parts(new Date(iso), undefined, true);
  return `${hour}:${minute}:${second}`;
}

/** `Mon 2026-11-30 22:00 (UTC+01:00)` in a zone, for a decision that depends on it. */
export function exactTime(iso: string, zone: string): string {
  const at = new Date(iso);
  const { year, month, day, hour, minute } = parts(at, zone, false);
  const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: zone }).format(at);
  const offset = new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')
    ?.value.replace('GMT', 'UTC');
  return `${weekday} ${year}-${month}-${day} ${hour}:${minute} ${zone === 'UTC' ? 'UTC' : `${zone} (${offset})`}`;
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** `6 days 3 hours`: the two largest units, for distances of a person's scale. */
export function distance(ms: number): string {
  let left = Math.round(Math.abs(ms) / 1000);
  const said: string[] = [];
  for (const [name, seconds] of units) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) said.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    if (said.length === 2 || (said.length === 1 && count === 0)) break;
  }
  return said.join(' ') || '0 seconds';
}

/** `in 6 days 3 hours` or `2 minutes ago`. */
export const fromNow = (iso: string, now = Date.now()): string => {
  const ahead = Date.parse(iso) - now;
  return ahead >= 0 ? `in ${distance(ahead)}` : `${distance(ahead)} ago`;
};

/** `4.2s`, `3m 05s`, `2h 04m`, `6d 3h`: how long something took, in little space. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h ${two((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3_600)}h`;
}

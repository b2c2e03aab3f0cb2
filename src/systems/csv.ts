/**
 * CSV (RFC 4180) that spreadsheets open as it is: with the mark that says UTF-8, and with an apostrophe before what
 * they would run as a formula (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export const csv = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  `\ufeff${[columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`;

function cell(text: string): string {
  const safe = /^\s*[=+\-@]|^[\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

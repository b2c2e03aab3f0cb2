/** What the stand-in answers; `cut` ends the connection without a word. */
export type Answer =
  | 'cut'
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      /** A file to send instead of a body. */
      readonly file?: string;
    };

export const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json;charset=utf-8' },
  body: JSON.stringify(value),
});

export const html = (body: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/html;charset=utf-8' },
  body,
});

export const text = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/plain;charset=utf-8' },
  body,
});

export const notFound: Answer = html(
  '<html><head><title>404 Not Found</title></head><body>No resource found</body></html>',
  404,
);

export const escapeHtml = (value: string) =>
  value.replace(
    /[&<>"]/g,
    (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!,
  );

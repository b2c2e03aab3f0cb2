/**
 * The main section of a `META-INF/MANIFEST.MF`, by lower-case name
 * (https://docs.oracle.com/javase/8/docs/technotes/guides/jar/jar.html#JAR_Manifest): a line that starts with a blank
 * continues the one before, which may cut a character in two, so bytes are joined before they are decoded.
 */
export function parseManifest(bytes: Buffer): Map<string, string> {
  const joined = Buffer.from(bytes.toString('latin1').replace(/(?:\r\n|\n|\r) /g, ''), 'latin1').toString();
  const headers = new Map<string, string>();
  for (const line of joined.split(/\r\n|\n|\r/)) {
    if (line === '') break;
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

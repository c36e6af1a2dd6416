/** Which addresses of others may become links. Documentation comes from catalogs, and a link may be a script. */

/** The address where it is one of the web; nothing otherwise. */
export function webAddress(text: string | undefined): string | undefined {
  if (!text) return undefined;
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** What an XML element holds: text, members by name, or a list that repeats the element. `undefined` leaves it out. */
export type XmlContent =
  string | number | boolean | undefined | XmlContent[] | { [name: string]: XmlContent };

/** One element without attributes; names are the caller's own, text is escaped. */
export function xmlElement(name: string, content: XmlContent, namespace?: string): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((each) => xmlElement(name, each)).join('');
  const inner =
    typeof content === 'object'
      ? Object.entries(content)
          .map(([child, value]) => xmlElement(child, value))
          .join('')
      : escapeText(String(content));
  return `<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${inner}</${name}>`;
}

const entities: Record<string, string> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  '\r': '&#xd;',
};
const escapeText = (text: string) => text.replace(/[<>&"\r]/g, (character) => entities[character]!);

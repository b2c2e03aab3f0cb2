import { Tokenizer } from 'htmlparser2';

/** Of one page; a page with more is no page that people made. */
const MOST_LINKS = 5_000;

/**
 * Where the links of a page lead, as they are written; `base` is what `<base href>` says. Takes any text for HTML. Only
 * its tags are looked at, in one pass: a parser that keeps track of open elements takes seconds for a page of nothing but
 * `<div>`.
 */
export function linksOf(html: string): { readonly hrefs: readonly string[]; readonly base?: string } {
  const hrefs = new Set<string>();
  let base: string | undefined;
  let [tag, attribute, value] = ['', '', ''];
  const nothing = () => undefined;
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) => (tag = html.slice(start, end).toLowerCase()),
      onattribname(start, end) {
        attribute = html.slice(start, end).toLowerCase();
        value = '';
      },
      onattribdata: (start, end) => (value += html.slice(start, end)),
      onattribentity: (codePoint) => (value += String.fromCodePoint(codePoint)),
      onattribend() {
        if (attribute !== 'href') return;
        if (tag === 'base') base ??= value;
        else if ((tag === 'a' || tag === 'area') && hrefs.size < MOST_LINKS) hrefs.add(value);
      },
      ...{ onopentagend: nothing, onselfclosingtag: nothing, onclosetag: nothing, onend: nothing },
      ...{ ontext: nothing, ontextentity: nothing, oncomment: nothing, oncdata: nothing },
      ...{ ondeclaration: nothing, onprocessinginstruction: nothing },
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return { hrefs: [...hrefs], base };
}

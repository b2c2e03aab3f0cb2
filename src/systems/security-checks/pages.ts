import type { Answer } from '../http-ask.ts';
import { ask, describe, failed, passed, unknown } from './target.ts';
import type { SecurityCheck, Target } from './target.ts';

const REDIRECTS = 3;

/** The site's page on a publish instance, with a query; redirects on the same host are followed with that query. */
async function sitePage(target: Target, query: string): Promise<{ path: string; answer: Answer }> {
  let { path } = target.page;
  for (let redirects = 0; ; redirects++) {
    const asked = query ? `${path}?${query}` : path;
    const answer = await ask(target, asked);
    const location = answer.headers.location;
    if (![301, 302, 307, 308].includes(answer.status) || !location || redirects === REDIRECTS)
      return { path: asked, answer };
    const next = new URL(location, new URL(path, target.url));
    if (next.origin !== new URL(target.url).origin) return { path: asked, answer };
    path = next.pathname;
  }
}

const references = (html: string) => html.match(/<(script|link)\b/gi)?.length ?? 0;

/** What a published page must not show, however it is asked for. */
export const pageChecks: readonly SecurityCheck[] = [
  {
    kpi: 'cq_html_library_manager_config',
    concerns: ['publish'],
    async check(target) {
      const plain = await sitePage(target, '');
      const debug = await sitePage(target, 'debugClientLibs=true');
      if (plain.answer.status !== 200 || debug.answer.status !== 200)
        return unknown(`${describe(plain.path, plain.answer)}, ${describe(debug.path, debug.answer)}`);
      const [few, many] = [references(plain.answer.body), references(debug.answer.body)];
      const seen = `${describe(debug.path, debug.answer)} with ${many} scripts and styles, ${few} without the query`;
      return (many > few ? failed : passed)(seen);
    },
  },
  {
    kpi: 'wcm_filter_configuration',
    concerns: ['publish'],
    async check(target) {
      const { path, answer } = await sitePage(target, 'wcmmode=edit');
      if (answer.status !== 200) return unknown(describe(path, answer));
      const markup = /<cq\s|cq\.authoring|cq-Editable/i.exec(answer.body)?.[0];
      return markup
        ? failed(`${describe(path, answer)} with editing markup: ${markup.trim()}`)
        : passed(describe(path, answer));
    },
  },
];

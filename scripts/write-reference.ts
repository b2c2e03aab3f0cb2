import { writeFile } from 'node:fs/promises';
import { pipelinesPage } from '../src/client/pipelines-page.ts';
import { referencePage } from '../src/client/reference-page.ts';

/** `npm run reference`: writes the pages anew that are made from the schema of definitions and the table of steps. */
const pages = { 'reference-fairway-yaml.md': referencePage(), 'reference-pipelines.md': pipelinesPage() };
for (const [name, text] of Object.entries(pages))
  await writeFile(new URL(`../docs/${name}`, import.meta.url), text);

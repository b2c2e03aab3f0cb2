import { deepEqual, equal, throws } from 'node:assert/strict';
import { parseValue } from '../../../src/systems/scan/content/docview.ts';
import { repositoryPath } from '../../../src/systems/scan/content/names.ts';
import { MAX_XML_LENGTH, parseXml } from '../../../src/systems/scan/content/xml.ts';

describe('The XML parser', () => {
  const refused: [what: string, xml: string, line: number, message: RegExp][] = [
    ['nothing', '', 1, /no root element/],
    ['text only', 'hello', 1, /text outside/],
    ['a tag that is not closed', '<a>\n<b>\n</a>', 3, /<\/a> closes <b>/],
    ['a root that is not closed', '<a>\n', 2, /<a> of line 1 is not closed/],
    ['an end tag too many', '<a/>\n</a>', 2, /closes nothing/],
    ['two roots', '<a/>\n<b/>', 2, /more than one root/],
    ['a quote that is not closed', '<a\n b="1>', 2, /value of b is not closed/],
    ['an attribute without quotes', '<a b=1/>', 1, /no quotes/],
    ['an attribute twice', '<a b="1"\n b="2"/>', 2, /twice/],
    ['a comment that is not closed', '<a>\n<!-- ', 2, /comment is not closed/],
    ['its own DTD', '<!DOCTYPE a [<!ENTITY x "y">]>\n<a>&x;</a>', 1, /DTD/],
    ['an entity that is not declared', '<a>\n&xxe;</a>', 1, /&xxe; is not known/],
    ['a character beyond Unicode', '<a b="&#x110000;"/>', 1, /not known/],
    ['a bare ampersand', '<a b="x & y"/>', 1, /not known/],
    ['binary', '\u0001\u0002<', 1, /./],
    ['elements too deep', '<a>'.repeat(5000), 1, /nested more than 200/],
    ['too many characters', ' '.repeat(MAX_XML_LENGTH + 1), 1, /more than the limit/],
    ['too many elements', `<a>${'<b/>'.repeat(200_001)}</a>`, 1, /more than 200000 elements/],
  ];
  for (const [what, xml, line, message] of refused)
    it(`refuses ${what}, and says where`, () => {
      throws(() => parseXml(xml), { name: 'XmlError', line, message });
    });

  it('knows the line of each element and attribute, with any kind of line end', () => {
    for (const end of ['\n', '\r\n']) {
      const xml = [
        '\ufeff<?xml version="1.0"?>',
        '<!-- x',
        '-->',
        '<a',
        '  b="1"',
        "  c='2'>",
        '  <d/>',
        '</a>',
      ];
      const root = parseXml(xml.join(end));
      deepEqual(
        [root.name, root.line, ...root.attributes.map(({ name, value, line }) => `${name}=${value} ${line}`)],
        ['a', 4, 'b=1 5', 'c=2 6'],
      );
      equal(root.children[0]?.line, 7);
    }
  });

  it('decodes what XML escapes', () => {
    const { attributes, text } = parseXml('<a b="&lt;&#65;&#x42;&amp;">x<![CDATA[<&>]]>y</a>');
    deepEqual([attributes[0]?.value, text], ['<AB&', 'x<&>y']);
  });

  it('takes 10 MB in its stride', () => {
    equal(
      parseXml(`<a>${'<b c="d">e</b>\n'.repeat(100_000)}${' '.repeat(9_000_000)}</a>`).children.length,
      100_000,
    );
  });
});

describe('FileVault names and values', () => {
  const paths: [string, string][] = [
    ['apps/a/_cq_dialog', '/apps/a/cq:dialog'],
    ['_oak_index/x', '/oak:index/x'],
    ['content/__private', '/content/_private'],
    ['content/_single', '/content/_single'],
    ['content/a%3ab', '/content/a:b'],
    ['content/image.png.dir/x', '/content/image.png/x'],
    ['', '/'],
  ];
  for (const [file, path] of paths)
    it(`maps ${file || 'the root'} to ${path}`, () => equal(repositoryPath(file), path));

  it('reads types, lists and escapes', () => {
    deepEqual(parseValue('{Boolean}true'), { type: 'Boolean', values: ['true'], multiple: false });
    deepEqual(parseValue('[a,b\\,c]'), { type: 'String', values: ['a', 'b,c'], multiple: true });
    deepEqual(parseValue('{Long}[]'), { type: 'Long', values: [], multiple: true });
    deepEqual(parseValue('\\[a]'), { type: 'String', values: ['[a]'], multiple: false });
  });
});

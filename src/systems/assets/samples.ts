import { randomBytes } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** A file to upload. */
export interface Sample {
  readonly extension: 'png' | 'pdf';
  readonly contentType: string;
  readonly content: Buffer;
}

const KIND = { png: 'image/png', pdf: 'application/pdf' } as const;
const SMALL = { side: 160, pdfBytes: 60_000 };
const LARGE = { side: 1_000, pdfBytes: 2_000_000 };
/** Every so-manieth file of its kind is a large one. */
const LARGE_EVERY = 5;
const MARK = 'fairway-0000000000';

/**
 * Images and PDF documents, small (about 80 KB) and large (about 3 MB). Every one differs from all others, as an AEM
 * keeps equal binaries only once.
 */
export function sampleFiles(): (extension: Sample['extension'], number: number) => Sample {
  const made = {
    png: { small: png(SMALL.side), large: png(LARGE.side) },
    pdf: { small: pdf(SMALL.pdfBytes), large: pdf(LARGE.pdfBytes) },
  };
  return (extension, number) => {
    const content = Buffer.from(
      made[extension][number % LARGE_EVERY === LARGE_EVERY - 1 ? 'large' : 'small'],
    );
    const at = content.indexOf(MARK);
    content.write(`fairway-${String(number).padStart(10, '0')}`, at, 'latin1');
    if (extension === 'png') sealChunk(content, at);
    return { extension, contentType: KIND[extension], content };
  };
}

/** A picture of noise, which no compression makes smaller, with the mark as a comment (https://www.w3.org/TR/png/). */
function png(side: number): Buffer {
  const rows = Array.from({ length: side }, () => Buffer.concat([Buffer.of(0), randomBytes(side * 3)]));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits per channel, RGB
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from(`Comment\0${MARK}`, 'latin1')),
    chunk('IDAT', deflateSync(Buffer.concat(rows), { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/** The checksum of the chunk whose data holds the mark at its end. */
function sealChunk(content: Buffer, mark: number): void {
  const end = mark + MARK.length;
  content.writeUInt32BE(crc32(content.subarray(mark - 'tEXtComment\0'.length, end)), end);
}

/** One page of text with an attachment-sized stream behind it, and the mark as a comment (ISO 32000-1, 7.5). */
function pdf(bytes: number): Buffer {
  const text = 'BT /F1 24 Tf 72 700 Td (Fairway assets test) Tj ET';
  const noise = randomBytes(Math.ceil(bytes / 2)).toString('hex');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    `<< /Length ${noise.length} >>\nstream\n${noise}\nendstream`,
  ];
  let file = `%PDF-1.4\n%${MARK}\n`;
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

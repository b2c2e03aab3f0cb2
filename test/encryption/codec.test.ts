import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { encryptingCodec } from '../../src/encryption/codec.ts';
import { parseKeys, payloadKeys } from '../../src/encryption/keys.ts';
import { secrets } from '../../src/systems/secrets.ts';

const key = () => randomBytes(32).toString('base64');
const [first, second] = [`2026-01:${key()}`, `2026-07:${key()}`];
const codec = (...lines: string[]) => encryptingCodec(parseKeys(lines.join('\n')));
const plain = [defaultPayloadConverter.toPayload({ branch: 'main' }), defaultPayloadConverter.toPayload('x')];
const values = (payloads: Payload[]) =>
  payloads.map((payload) => defaultPayloadConverter.fromPayload<unknown>(payload));

describe('the encryption of what Temporal keeps', () => {
  it('tells nothing but the name of the key, and never the same twice', async () => {
    const [one, other] = [await codec(first).encode(plain), await codec(first).encode(plain)];
    for (const { metadata = {}, data } of one) {
      assert.deepEqual(Object.keys(metadata!).sort(), ['encoding', 'encryption-key-id']);
      assert.equal(Buffer.from(metadata!['encryption-key-id']!).toString(), '2026-01');
      assert.ok(!Buffer.from(data!).toString('latin1').includes('main'));
    }
    assert.notDeepEqual(one, other);
    assert.deepEqual(values(await codec(first).decode(one)), [{ branch: 'main' }, 'x']);
  });

  it('goes on with a new key, and reads what older ones wrote and what nobody encrypted', async () => {
    const old = await codec(first).encode(plain);
    const rotated = codec(second, first);
    const [fresh] = await rotated.encode(plain);
    assert.equal(Buffer.from(fresh!.metadata!['encryption-key-id']!).toString(), '2026-07');
    assert.deepEqual(values(await rotated.decode([...old, fresh!, ...plain])).length, 5);
    const off = encryptingCodec(undefined);
    assert.deepEqual(await off.encode(plain), plain);
    assert.deepEqual(await off.decode(plain), plain);
  });

  it('says which key is missing, wrong, or whose payload was changed', async () => {
    const [payload] = await codec(first).encode(plain);
    const fails = (lines: string[] | undefined, words: RegExp, changed = payload!) =>
      assert.rejects(
        encryptingCodec(lines && parseKeys(lines.join(' '))).decode([changed]),
        (error: Error) => {
          assert.match(error.message, words);
          assert.ok(!error.message.includes(first.slice(8)));
          return true;
        },
      );
    await fails(undefined, /key "2026-01", which this process does not have: .*secret PAYLOAD_KEYS/);
    await fails([second], /key "2026-01", which this process does not have/);
    await fails([`2026-01:${key()}`], /key "2026-01" of the secret PAYLOAD_KEYS is not the one/);
    for (const at of [0, 12, 40]) {
      const data = Buffer.from(payload!.data!);
      data[at] = data[at]! ^ 1;
      await fails([first], /not the one .*or it was changed since/, { ...payload, data });
    }
    await fails([first], /not the one/, { ...payload, data: Buffer.from('short') });
    const renamed = { ...payload!.metadata, 'encryption-key-id': Buffer.from('2026-07') };
    await fails([first, `2026-07:${first.slice(8)}`], /not the one/, { ...payload, metadata: renamed });
  });

  it('has keys in a secret, or is off without it', async () => {
    assert.equal(await payloadKeys(secrets({ env: {} })), undefined);
    const env = { FAIRWAY_SECRET_PAYLOAD_KEYS: `${second}\n${first}\n` };
    assert.deepEqual([...(await payloadKeys(secrets({ env })))!.keys()], ['2026-07', '2026-01']);
    const wrong = { type: 'InvalidInput', message: /NAME:KEY.*openssl rand -base64 32/ };
    for (const text of [' ', 'abc', 'a:short', `a:${key()}\na:${key()}`, `${first}\nb:`])
      await assert.rejects(
        payloadKeys(async () => text),
        (error: Error) => {
          assert.ok(!error.message.includes(first.slice(8)));
          assert.match(error.message, wrong.message);
          return true;
        },
      );
  });
});

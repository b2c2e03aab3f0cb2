import assert from 'node:assert/strict';
import { hidden, hiding } from '../../src/activities/hiding.ts';
import { Failure } from '../../src/systems/failure.ts';

describe('hiding', () => {
  const hide = hiding(['', 'tok', 'token-of-a-registry', 'aabaabaac']);

  it('leaves nothing of a value in a text, also of one that is a part of another', () => {
    assert.equal(hide('login with token-of-a-registry, not tok!'), 'login with ***, not ***!');
    assert.equal(hide('nothing to see'), 'nothing to see');
  });

  it('leaves no beginning of a value in a text that was cut in the middle of it', () => {
    const line = `${'x'.repeat(290)} token-of-a-registry`;
    assert.equal(hide(line.slice(0, 300)), `${'x'.repeat(290)} ***`);
    assert.equal(hide('... aabaabaabaa'), '... aab***', 'the longest end that may be one');
    assert.equal(hide('... aaba'), '... ***');
    assert.equal(hide('... aab'), '... aab', 'that much tells nothing');
  });

  it('leaves none in a failure, its details and its cause', () => {
    const cause = new Error('token-of-a-registry was refused');
    const failure = hidden(
      new Failure('Denied', 'no: token-of-a', { cause, details: ['token-of-a-reg'] }),
      hide,
    );
    assert.doesNotMatch(JSON.stringify([failure.message, failure.details, String(failure.cause)]), /token/);
  });
});

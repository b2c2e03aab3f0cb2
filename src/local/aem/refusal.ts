/** What AEM says when it does not do as asked: the text of a Java exception, in an answer with status 200. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

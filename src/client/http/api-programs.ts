import { paths } from '../../model/api-paths.ts';
import type { Program } from '../../model/schema/definition.ts';
import type { KnownProgram } from '../access.ts';
import { validProgram } from '../catalogue.ts';
import type { ListedWebhook, Replayed } from '../event-deliveries.ts';
import { FairwayError } from '../fairway-error.ts';
import type { Named } from '../resolve.ts';
import { variableRefusal, type ListedVariable, type SetVariable } from '../variables.ts';
import type { ApiRequests } from './request.ts';

/** A program with what belongs to it, by ids and names. */
export interface NamedProgram extends Named {
  readonly pipelines: readonly Named[];
}

type Embedded<N extends string, T> = { readonly _embedded: Readonly<Record<N, readonly T[]>> };
type InPipeline = { readonly programId: string; readonly pipelineId: string };

/** Programs through the API: what they are made of. */
export class ApiPrograms {
  private readonly requests: ApiRequests;
  private known: Promise<readonly NamedProgram[]> | undefined;

  constructor(requests: ApiRequests) {
    this.requests = requests;
  }

  /** Read once: a command is over in a moment. */
  named(): Promise<readonly NamedProgram[]> {
    return (this.known ??= this.readNames());
  }

  async environments(programId: string): Promise<readonly Named[]> {
    return (await this.requests.get<Embedded<'environments', Named>>(paths.environments(programId)))._embedded
      .environments;
  }

  async all(): Promise<KnownProgram[]> {
    const all = await Promise.all((await this.list()).map(({ id }) => this.one(id)));
    return all.filter((program) => program !== undefined);
  }

  async one(programId: string): Promise<KnownProgram | undefined> {
    const [shown, definition] = await Promise.all([
      this.requests.find<{ readonly emergency: boolean }>(paths.program(programId)),
      this.requests.find<Program>(paths.definition(programId)),
    ]);
    if (!shown || !definition) return undefined;
    return {
      definition: definition.content,
      revision: Number(definition.etag?.replaceAll('"', '')),
      emergency: { activated: shown.content.emergency },
    };
  }

  apply(definition: unknown, expectedRevision: number): Promise<{ readonly revision: number }> {
    const program = validProgram(definition);
    return expectedRevision === 0
      ? this.requests.change('POST', paths.programs(), program)
      : this.requests.change('PUT', paths.program(program.id), program, {
          'if-match': `"${expectedRevision}"`,
        });
  }

  async remove(path: string): Promise<void> {
    await this.requests.change('DELETE', path);
  }

  async setEmergency(programId: string, activated: boolean) {
    await this.requests.change('PUT', paths.emergency(programId), { activated });
    return { emergency: { activated } };
  }

  async variables(programId: string, pipelineId: string): Promise<readonly ListedVariable[]> {
    const path = paths.variables(programId, pipelineId);
    const { _embedded } = await this.requests.get<Embedded<'variables', ListedVariable>>(path);
    return _embedded.variables.map(({ name, type, value }) => ({ name, type, value }));
  }

  async setVariable({ name, value, secret, ...pipeline }: SetVariable): Promise<void> {
    const refusal = variableRefusal({ name, value, secret });
    if (refusal !== undefined) throw new FairwayError('refused', refusal);
    await this.changeVariable(pipeline, { name, value, type: secret ? 'secretString' : 'string' });
  }

  /** An empty value removes. */
  async changeVariable(
    { programId, pipelineId }: InPipeline,
    change: { readonly name: string; readonly value: string; readonly type?: ListedVariable['type'] },
  ): Promise<void> {
    await this.requests.change('PATCH', paths.variables(programId, pipelineId), [change]);
  }

  async webhooks(programId: string): Promise<readonly ListedWebhook[]> {
    const path = `${paths.webhooks(programId)}/deliveries`;
    return (await this.requests.get<Embedded<'webhooks', ListedWebhook>>(path))._embedded.webhooks;
  }

  async replayEvents(
    programId: string,
    { webhookId, since }: { readonly webhookId?: string; readonly since?: string },
  ): Promise<readonly Replayed[]> {
    const wanted = {
      ...(webhookId === undefined ? {} : { webhookId }),
      ...(since === undefined ? {} : { since }),
    };
    return (
      await this.requests.change<{ readonly replayed: readonly Replayed[] }>(
        'POST',
        `${paths.webhooks(programId)}/replay`,
        wanted,
      )
    ).replayed;
  }

  private async list(): Promise<readonly Named[]> {
    return (await this.requests.get<Embedded<'programs', Named>>(paths.programs()))._embedded.programs;
  }

  private async readNames(): Promise<readonly NamedProgram[]> {
    return Promise.all(
      (await this.list()).map(async ({ id, name }) => {
        const answer = await this.requests.get<Embedded<'pipelines', Named>>(paths.pipelines(id));
        return { id, name, pipelines: answer._embedded.pipelines };
      }),
    );
  }
}

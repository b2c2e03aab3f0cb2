import { userInfo } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { action, examples } from './session.ts';
import { isRole, roles, type Role } from '../api/roles.ts';
import { LONGEST_LIFE_DAYS } from '../api/token-life.ts';
import { keysFile, keysOption } from './keys-option.ts';
import { httpUrl, name } from './option-values.ts';
import { Problem } from './problem.ts';

interface Options {
  readonly subject?: string;
  readonly role: readonly Role[];
  readonly expires: number;
  readonly clientId: string;
  readonly keys?: string;
  readonly aio?: boolean;
  readonly baseUrl?: string;
  readonly org: string;
}

const seconds = { m: 60, h: 3600, d: 86_400 } as const;

function duration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  const length = Number(count) * seconds[unit as keyof typeof seconds];
  if (length > 0 && length <= LONGEST_LIFE_DAYS * seconds.d) return length;
  throw new InvalidArgumentError(`such as 30m, 12h or 7d; ${LONGEST_LIFE_DAYS}d at most.`);
}

function addRole(text: string, before: readonly Role[] = []): readonly Role[] {
  if (isRole(text)) return [...before, text];
  throw new InvalidArgumentError(`one of ${roles.join(', ')}.`);
}

const createCommand = (): Command =>
  new Command('create')
    .description(
      'Make a token for the API, signed with the key set of this installation, which the first token makes',
    )
    .requiredOption('--role <role>', `what its holder may do, may be repeated: ${roles.join(', ')}`, addRole)
    .option('--subject <name>', 'whose token it is; the user of this machine otherwise', name)
    .addOption(
      new Option('--expires <duration>', `how long it is good for, ${LONGEST_LIFE_DAYS}d at most`)
        .argParser(duration)
        .default(12 * seconds.h, '12h'),
    )
    .option('--client-id <id>', 'what clients send as x-api-key', name, 'fairway')
    .addOption(keysOption())
    .option('--aio', "print what tells Adobe's aio command where the API is, for eval in a shell")
    .option('--base-url <url>', 'with --aio: where the API is; else as the settings file says', httpUrl)
    .option('--org <id>', 'with --aio: the organisation', name, 'FAIRWAY@AdobeOrg')
    .addHelpText(
      'after',
      examples(
        'fairway token create --role deployment-manager',
        'fairway token create --subject carl --role customer-success-engineer --expires 30d',
        'eval "$(fairway token create --role deployment-manager --aio)"     # then: aio cloudmanager:list-programs',
      ),
    )
    .action(
      action(async (session, options: Options) => {
        const { keysIn } = await import('../api/keys.ts');
        const { mint } = await import('../api/mint.ts');
        const { role, expires, clientId, org } = options;
        const subject = options.subject ?? userInfo().username;
        const file = keysFile(session, options.keys);
        const { token, id, expiresAt } = await mint(await keysIn(file), {
          ...{ subject, clientId, seconds: expires },
          roles: [...new Set(role)],
        });
        session.note(
          `token of ${subject} (${role.join(', ')}), good until ${expiresAt.toISOString()}`,
          `  take it back: fairway token revoke ${id}`,
        );
        const baseUrl = options.baseUrl ?? session.settings.apiUrl ?? 'http://127.0.0.1:8090';
        await session.answer({ token, id, subject, roles: role, expiresAt: expiresAt.toISOString() }, () =>
          options.aio
            ? [
                `export AIO_CLOUDMANAGER_BASE__URL=${quoted(baseUrl)}`,
                `export AIO_CLOUDMANAGER__ORGID=${quoted(org)}`,
                `export AIO_IMS_CONTEXTS_CLI_ACCESS__TOKEN_TOKEN=${token}`,
                `export AIO_IMS_CONTEXTS_CLI_ACCESS__TOKEN_EXPIRY=${expiresAt.getTime()}`,
              ]
            : [token],
        );
      }),
    );

const revokeCommand = (): Command =>
  new Command('revoke')
    .description('Take tokens back: the API refuses them from now on')
    .argument('[id...]', 'as token create has said them; the "jti" of a token')
    .option('--all', 'every token that was made so far: another key signs from now on')
    .addOption(keysOption())
    .addHelpText(
      'after',
      examples(
        'fairway token revoke 0b7d3c1e-6d0f-4a55-9d0b-1f4f5a7c2e10',
        'fairway token revoke --all      a token is in wrong hands, and nobody knows which',
      ),
    )
    .action(
      action(async (session, ids: readonly string[], { all, keys }: RevokeOptions) => {
        if (ids.length > 0 === Boolean(all))
          throw new Problem('usage', 'name the ids of tokens, or say --all');
        const wrong = ids.find((id) => !UUID.test(id));
        if (wrong !== undefined)
          throw new Problem(
            'usage',
            `${JSON.stringify(wrong.slice(0, 40))} is no id of a token`,
            'token create says it; in a token it is the claim "jti"',
          );
        const { revoke, revokeAll } = await import('../api/keys.ts');
        const file = keysFile(session, keys);
        await (all ? revokeAll(file) : revoke(file, ids));
        await session.answer({ revoked: all ? 'all' : ids }, () => [
          all ? 'no token that was made so far counts any more' : `revoked: ${ids.join(', ')}`,
        ]);
      }),
    );

interface RevokeOptions {
  readonly all?: boolean;
  readonly keys?: string;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const tokenCommand = (): Command =>
  new Command('token')
    .description('Tokens of the API')
    .addCommand(createCommand())
    .addCommand(revokeCommand());

import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';

/** Which room may import from which (docs/architecture.md). A room may always import from itself. */
const mayImport = {
  model: [],
  workflows: ['model'],
  systems: ['model'],
  encryption: ['systems'],
  activities: ['model', 'systems'],
  worker: ['model', 'systems', 'encryption', 'activities', 'workflows'],
  client: ['model', 'systems', 'encryption'],
  api: ['model', 'systems', 'client'],
  command: ['model', 'systems', 'encryption', 'client', 'api', 'worker'],
  local: ['model', 'systems', 'encryption', 'client', 'command', 'worker', 'api'],
};
const rooms = Object.keys(mayImport);
const zones = rooms.map((room) => ({
  target: `./src/${room}`,
  from: './src',
  except: [room, ...mayImport[room]].map((allowed) => `./${allowed}`),
  message: `${room}/ may import from ${['itself', ...mayImport[room]].join(', ')} only.`,
}));

const nodeBuiltins = [...builtinModules, 'node:*'];
const banned = (group, message) => ({ group, message });

export default tseslint.config(
  { ignores: ['node_modules', '.cache', '.fairway', 'dist', 'examples'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver()] },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-deprecated': 'warn',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/no-unused-vars': 'off',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': ['error', { zones }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'object-shorthand': 'error',
    },
  },
  {
    files: ['src/model/**/*.ts', 'src/workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [banned(nodeBuiltins, 'Not available to deterministic code.')] },
      ],
      'no-restricted-globals': ['error', 'Intl', 'process', 'Buffer', 'fetch', 'setInterval', 'console'],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[property.name=/^toLocale|^localeCompare$/]',
          message: 'Locale data differs between machines: not deterministic.',
        },
        {
          selector:
            ':matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind!="const"], PropertyDefinition[static=true]',
          message: 'All executions in a worker share this module: keep state where one of them has its own.',
        },
      ],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/model/schema/*'],
              message: 'Types only: zod costs memory per cached workflow.',
              allowTypeImports: true,
            },
            banned(nodeBuiltins, 'Not available to deterministic code.'),
          ],
        },
      ],
    },
  },
  {
    files: ['src/model/**/*.ts'],
    ignores: ['src/model/schema/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '^[^.]', message: 'model/ imports nothing.' },
            { group: ['**/schema/*'], message: 'Types only.', allowTypeImports: true },
          ],
        },
      ],
    },
  },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-unused-expressions': 'off' } },
);

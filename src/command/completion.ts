import { Argument, Command } from 'commander';
import { action, examples } from './session.ts';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

export const completionCommand = (): Command =>
  new Command('completion')
    .description('Print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      examples(
        'source <(fairway completion bash)                                # in ~/.bashrc',
        'source <(fairway completion zsh)                                 # in ~/.zshrc, after compinit',
        'fairway completion fish > ~/.config/fish/completions/fairway.fish',
      ),
    )
    .action(
      action(async (session, shell: Shell) => {
        // Imported late: that module holds every command, this one too.
        const { fairway } = await import('./main.ts');
        session.write(scripts[shell](placesOf(fairway())));
      }),
    );

/** Somewhere on the command line, and what can come next there. */
interface Place {
  /** The commands so far: `/environment/repair`; '' at the beginning. */
  readonly path: string;
  readonly next: readonly { readonly word: string; readonly description: string }[];
}

function placesOf(command: Command, path = ''): Place[] {
  const options = [
    ...command.options,
    ...(command.parent?.options ?? []),
    ...(command.parent?.parent?.options ?? []),
  ];
  const next = [
    ...command.commands.map((sub) => ({ word: sub.name(), description: sub.description() })),
    ...command.registeredArguments.flatMap(({ argChoices }) =>
      (argChoices ?? []).map((word) => ({ word, description: '' })),
    ),
    ...options.map(({ long, description }) => ({ word: long ?? '', description })),
    { word: '--help', description: 'show help' },
  ].filter(({ word }) => word !== '');
  return [{ path, next }, ...command.commands.flatMap((sub) => placesOf(sub, `${path}/${sub.name()}`))];
}

const inner = (places: readonly Place[]) =>
  places.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
const quoted = (text: string) => `'${text.replaceAll("'", '')}'`;

const scripts: Readonly<Record<Shell, (places: readonly Place[]) => string>> = {
  bash: (places) => `_fairway() {
  local path="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path/$word" in
      ${inner(places).join('|')}) path="$path/$word" ;;
    esac
  done
  local next=""
  case "$path" in
${places.map(({ path, next }) => `    "${path}") next="${next.map(({ word }) => word).join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _fairway fairway`,

  zsh: (places) => `#compdef fairway
_fairway() {
  local place="" word
  local -a next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place/$word" in
      (${inner(places)
        .map((path) => path.replaceAll('"', ''))
        .join('|')}) place="$place/$word" ;;
    esac
  done
  case "$place" in
${places
  .map(
    ({ path, next }) =>
      `    ("${path}") next=(${next.map(({ word, description }) => quoted(`${word}:${description.replaceAll(':', ' ')}`)).join(' ')}) ;;`,
  )
  .join('\n')}
  esac
  _describe fairway next || _files
}
compdef _fairway fairway`,

  fish: (places) => `function __fairway_at
  set -l place ""
  for word in (commandline -opc)[2..]
    if contains -- "$place/$word" ${inner(places).join(' ')}
      set place "$place/$word"
    end
  end
  test "$place" = "$argv[1]"
end
${places
  .flatMap(({ path, next }) =>
    next.map(({ word, description }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c fairway -n '__fairway_at "${path}"' ${what} -d ${quoted(description)}`;
    }),
  )
  .join('\n')}`,
};

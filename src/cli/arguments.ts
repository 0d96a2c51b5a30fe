import { parseArgs } from 'node:util';
import { nearest } from '../config/suggest.ts';
import type { ReplayOptions } from '../replay/replay.ts';
import { COMMAND_NAMES, usage } from './usage.ts';
import type { CommandName } from './usage.ts';

/** What the command line asks for. Paths are as given; null = option absent. */
export type Command =
  | { name: 'serve'; configFile: string | null; set: string[] }
  | { name: 'validate'; configFile: string | null; set: string[] }
  | { name: 'test-anomaly'; configFile: string | null; set: string[] }
  | { name: 'top'; configFile: string | null; set: string[]; admin: URL | null }
  | ReplayCommand
  | { name: 'help'; text: string }
  | { name: 'version' };

export interface ReplayCommand extends ReplayOptions {
  name: 'replay';
  configFile: string | null;
  set: string[];
}

/** The command line cannot be understood. `message` says why in one line, `usage` is the help that fits. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'LOGDRIFT_USAGE';
  readonly usage: string;

  constructor(message: string, command?: CommandName) {
    super(message);
    this.usage = usage(command);
  }
}

type Options = Record<string, { type: 'string' | 'boolean'; multiple?: boolean; short?: string }>;

const SHARED: Options = {
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
};

const OPTIONS: Record<CommandName, Options> = {
  serve: SHARED,
  validate: SHARED,
  'test-anomaly': SHARED,
  top: { ...SHARED, admin: { type: 'string' } },
  replay: {
    ...SHARED,
    source: { type: 'string' },
    timezone: { type: 'string' },
    scores: { type: 'string' },
    anomalies: { type: 'string' },
    labels: { type: 'string' },
    report: { type: 'string' },
    json: { type: 'boolean' },
  },
};

/**
 * @param argv what follows `logdrift` on the command line
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (first === undefined) throw new UsageError('no command given');
  if (first === '--version' || first === '-v' || first === 'version') return { name: 'version' };
  if (first === '--help' || first === '-h' || first === 'help') {
    return { name: 'help', text: rest[0] === undefined ? usage() : usage(commandName(rest[0])) };
  }
  const command = commandName(first);

  const { values, inputs } = parseOptions(command, rest);
  if (values.has('help')) return { name: 'help', text: usage(command) };
  const one = (name: string): string | null => values.get(name)?.at(-1) ?? null;
  const shared = { configFile: one('config'), set: values.get('set') ?? [] };
  if (command !== 'replay') {
    if (inputs.length > 0) {
      throw new UsageError(
        `unexpected argument ${inputs[0]} – a configuration file is given as --config ${inputs[0]}`,
        command,
      );
    }
    if (command === 'validate' && shared.configFile === null && shared.set.length === 0) {
      throw new UsageError('nothing to validate – give --config FILE', command);
    }
    if (command === 'top') return { name: 'top', ...shared, admin: checkAdmin(one('admin')) };
    return { name: command, ...shared };
  }

  if (inputs.length === 0) throw new UsageError('no input – name at least one recording or log file', command);
  return {
    name: 'replay',
    inputs,
    ...shared,
    source: checkSource(one('source')),
    timezone: checkTimezone(one('timezone')),
    scoresFile: one('scores'),
    anomaliesFile: one('anomalies'),
    labelsFile: one('labels'),
    reportFile: one('report'),
    json: values.has('json'),
  };
}

function commandName(text: string): CommandName {
  const command = COMMAND_NAMES.find((name) => name === text);
  if (command !== undefined) return command;
  if (text.startsWith('-')) throw new UsageError(`the command comes first, before ${optionName(text)}`);
  throw new UsageError(`unknown command ${text}${didYouMean(text, COMMAND_NAMES)}`);
}

/** parseArgs does the splitting; its strict mode is off because its messages suggest nothing. */
function parseOptions(command: CommandName, args: string[]): { values: Map<string, string[]>; inputs: string[] } {
  const options = OPTIONS[command];
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const inputs: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') inputs.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) {
      throw new UsageError(
        `unknown option ${token.rawName}${didYouMean(token.name, Object.keys(options), '--')}`,
        command,
      );
    }
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`, command);
      values.set(token.name, []);
      continue;
    }
    const looksLikeOption = token.inlineValue === false && /^--?[A-Za-z]/.test(token.value);
    if (token.value === undefined || token.value === '' || looksLikeOption) {
      throw new UsageError(`${token.rawName} needs a value`, command);
    }
    const given = values.get(token.name) ?? [];
    if (given.length > 0 && option.multiple !== true) throw new UsageError(`${token.rawName} is given twice`, command);
    values.set(token.name, [...given, token.value]);
  }
  return { values, inputs };
}

function checkSource(source: string | null): string | null {
  if (source === null || /^[^:\s]+:\S.*$/.test(source)) return source;
  throw new UsageError(`--source ${source} is not a source key – write type:id, for example file:nginx`, 'replay');
}

function checkAdmin(admin: string | null): URL | null {
  if (admin === null) return null;
  const url = URL.parse(/^[a-z]+:\/\//i.test(admin) ? admin : `http://${admin}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new UsageError(
      `--admin ${admin.replace(/^.*@/, '')} is not the URL of an admin port – write for example http://127.0.0.1:8090`,
      'top',
    );
  }
  if (url.username === '' && url.password === '') return url;
  throw new UsageError(
    `--admin ${url.host} with a password – the admin port knows tokens only: --set admin.token_file=FILE`,
    'top',
  );
}

function checkTimezone(timezone: string | null): string | null {
  if (timezone === null) return null;
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    return timezone;
  } catch {
    const near = nearest(timezone, Intl.supportedValuesOf('timeZone'));
    const hint = near === null ? 'write for example Europe/Berlin or UTC' : `did you mean ${near}?`;
    throw new UsageError(`--timezone ${timezone} is not known – ${hint}`, 'replay');
  }
}

function didYouMean(word: string, candidates: readonly string[], prefix = ''): string {
  const near = nearest(word, candidates);
  return near === null ? '' : ` – did you mean ${prefix}${near}?`;
}

function optionName(argument: string): string {
  return argument.split('=')[0]!;
}

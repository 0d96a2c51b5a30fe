import { describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from '../../src/cli/arguments.ts';

function usageError(...argv: string[]): UsageError {
  try {
    parseArguments(argv);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

test('serve needs nothing and takes a file and settings in order', () => {
  expect(parseArguments(['serve'])).toEqual({ name: 'serve', configFile: null, set: [] });
  expect(parseArguments(['serve', '--set', 'a.b=1', '--config=x.yaml', '--set=c=-5'])).toEqual({
    name: 'serve',
    configFile: 'x.yaml',
    set: ['a.b=1', 'c=-5'],
  });
});

test('validate takes a file, settings or both, but not neither', () => {
  expect(parseArguments(['validate', '--config', 'x.yaml'])).toEqual({
    name: 'validate',
    configFile: 'x.yaml',
    set: [],
  });
  expect(parseArguments(['validate', '--set', 'clock=event'])).toMatchObject({ set: ['clock=event'] });
  expect(usageError('validate').message).toBe('nothing to validate – give --config FILE');
});

test('test-anomaly takes what serve takes', () => {
  expect(parseArguments(['test-anomaly', '--config', 'x.yaml', '--set', 'a=b'])).toEqual({
    name: 'test-anomaly',
    configFile: 'x.yaml',
    set: ['a=b'],
  });
  expect(usageError('test-anomly').message).toBe('unknown command test-anomly – did you mean test-anomaly?');
});

test('top takes the address of an admin port, with or without a scheme, and the configuration that has its token', () => {
  expect(parseArguments(['top'])).toEqual({ name: 'top', configFile: null, set: [], admin: null });
  const { admin, configFile } = parseArguments(['top', '--admin', '127.0.0.1:8090', '--config', 'x.yaml']) as {
    admin: URL;
    configFile: string;
  };
  expect([admin.href, configFile]).toEqual(['http://127.0.0.1:8090/', 'x.yaml']);
  expect(parseArguments(['top', '--admin', 'https://logs.example/drift'])).toMatchObject({
    admin: new URL('https://logs.example/drift'),
  });
  expect(usageError('top', '--admin', 'http://').message).toMatch(/^--admin http:\/\/ is not the URL/);
  expect(usageError('top', '--admin', 'ftp://me:hunter2@host').message).toMatch(/^--admin host is not the URL/);
  expect(usageError('top', '--admin', 'http://me:hunter2@host').message).toMatch(
    /^--admin host .*admin\.token_file=FILE$/,
  );
});

test('replay takes inputs and options in any order', () => {
  expect(
    parseArguments([
      ...[
        'replay',
        'a.jsonl.gz',
        '--scores',
        's.jsonl',
        'b.log',
        '--source',
        'file:nginx',
        '--timezone',
        'Europe/Berlin',
      ],
      ...[
        '--anomalies',
        'a.jsonl',
        '--labels',
        'l.json',
        '--report',
        'r.html',
        '--json',
        '--set',
        'clock=event',
        '--',
        '--odd-name.log',
      ],
    ]),
  ).toEqual({
    name: 'replay',
    inputs: ['a.jsonl.gz', 'b.log', '--odd-name.log'],
    configFile: null,
    set: ['clock=event'],
    source: 'file:nginx',
    timezone: 'Europe/Berlin',
    scoresFile: 's.jsonl',
    anomaliesFile: 'a.jsonl',
    labelsFile: 'l.json',
    reportFile: 'r.html',
    json: true,
  });
  expect(parseArguments(['replay', 'a.log'])).toMatchObject({
    source: null,
    timezone: null,
    scoresFile: null,
    labelsFile: null,
    reportFile: null,
    json: false,
  });
});

describe('help and version', () => {
  test.each([[['--version']], [['-v']]])('%j asks for the version', (argv) => {
    expect(parseArguments(argv)).toEqual({ name: 'version' });
  });

  test('help is for all commands or for the one named, and wins over missing inputs', () => {
    const overview = parseArguments(['--help']);
    expect(overview).toMatchObject({ name: 'help' });
    for (const argv of [
      ['replay', '--help'],
      ['replay', '-h'],
      ['help', 'replay'],
      ['--help', 'replay'],
    ]) {
      const { text } = parseArguments(argv) as { text: string };
      expect(text).toContain('--timezone ZONE');
    }
  });

  test('every option that parses is in the help of its command, and none that does not', () => {
    for (const command of ['serve', 'validate', 'replay', 'test-anomaly', 'top']) {
      const { text } = parseArguments([command, '--help']) as { text: string };
      const documented = [...text.matchAll(/^ {2}--(\w+)( [A-Z=]+)? /gm)].map(([, name, value]) => ({
        name: name!,
        value,
      }));
      expect(documented.length).toBeGreaterThan(1);
      for (const { name, value } of documented) {
        const samples: Record<string, string> = { timezone: 'UTC', source: 'file:x', admin: 'http://127.0.0.1:8090' };
        const sample = samples[name!] ?? 'x=y';
        parseArguments([
          command,
          ...(command === 'replay' ? ['input'] : ['--set', 'a=b']),
          `--${name}`,
          ...(value === undefined ? [] : [sample]),
        ]);
      }
    }
  });
});

describe('refusals', () => {
  test.each([
    [[], 'no command given'],
    [['sreve'], 'unknown command sreve – did you mean serve?'],
    [['dance'], 'unknown command dance'],
    [['--config', 'x.yaml', 'serve'], 'the command comes first, before --config'],
    [['serve', '--confg', 'x.yaml'], 'unknown option --confg – did you mean --config?'],
    [['serve', '--frobnicate'], 'unknown option --frobnicate'],
    [['serve', '-x'], 'unknown option -x'],
    [['serve', '--constructor'], 'unknown option --constructor'],
    [['serve', '--scores', 'x'], 'unknown option --scores'],
    [['replay', 'x', '--lables', 'l.json'], 'unknown option --lables – did you mean --labels?'],
    [['serve', '--config'], '--config needs a value'],
    [['serve', '--config', '--set', 'a=b'], '--config needs a value'],
    [['serve', '--config='], '--config needs a value'],
    [['serve', '--config', 'a', '--config', 'b'], '--config is given twice'],
    [['serve', 'x.yaml'], 'unexpected argument x.yaml – a configuration file is given as --config x.yaml'],
    [['replay'], 'no input – name at least one recording or log file'],
    [['replay', 'x', '--json=yes'], '--json takes no value'],
    [
      ['replay', 'x', '--source', 'nginx'],
      '--source nginx is not a source key – write type:id, for example file:nginx',
    ],
    [
      ['replay', 'x', '--timezone', 'Europe/Berln'],
      '--timezone Europe/Berln is not known – did you mean Europe/Berlin?',
    ],
    [['replay', 'x', '--timezone', 'here'], '--timezone here is not known – write for example Europe/Berlin or UTC'],
  ])('%j', (argv, message) => {
    expect(usageError(...argv).message).toBe(message);
  });

  test('the error brings the help that fits', () => {
    expect(usageError().usage).toContain('logdrift serve');
    expect(usageError('replay').usage).toMatch(/^Usage: logdrift replay/);
    expect(usageError('replay').code).toBe('LOGDRIFT_USAGE');
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, startCli } from '../service/harness.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function configFile(text: string): Promise<string> {
  const path = join(directory, 'logdrift.yaml');
  await writeFile(path, text);
  return path;
}

test('validate says that a good file is good', async () => {
  const path = await configFile('logs_config:\n  drift_detection:\n    window_size: 120s\n    window_step: 60s\n');
  expect(await runCli('validate', '--config', path)).toEqual({
    code: 0,
    stdout: 'configuration is good\n',
    stderr: '',
  });
});

test.each(['validate', 'serve', 'replay', 'test-anomaly', 'top'])(
  '%s with a typo in the file exits 78 with its place and a suggestion',
  async (command) => {
    const path = await configFile('logs_config:\n  drift_detection:\n    window_setp: 60s\n');
    const inputs = command === 'replay' ? [path] : [];
    expect(await runCli(command, ...inputs, '--config', path)).toEqual({
      code: 78,
      stdout: '',
      stderr: `${path}:3:5: logs_config.drift_detection.window_setp: unknown key – did you mean window_step?\n`,
    });
  },
);

test('a wrong --set is named', async () => {
  const { code, stderr } = await runCli('validate', '--set', 'logs_config.drift_detection.window_step=soon');
  expect(code).toBe(78);
  expect(stderr).toMatch(/^--set logs_config\.drift_detection\.window_step=soon: .*window_step: /);
});

test('a file that is not there is named', async () => {
  const { code, stderr } = await runCli('serve', '--config', join(directory, 'nowhere.yaml'));
  expect(code).toBe(78);
  expect(stderr).toContain('nowhere.yaml: no such file – check --config');
});

test('a wrong command line exits 64 with the help that fits', async () => {
  const { code, stdout, stderr } = await runCli('sreve');
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toMatch(/^logdrift: unknown command sreve – did you mean serve\?\n\nUsage:/);
});

test('help and version are answers, not errors', async () => {
  const help = await runCli('--help');
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('logdrift serve');
  expect(await runCli('--version')).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^logdrift \d+\.\d+\.\d+\n$/) as string,
    stderr: '',
  });
});

test('a directory for state that cannot be one is one clear line', async () => {
  const file = await configFile('');
  const ports = ['telemetry.endpoint', 'admin.endpoint'].flatMap((key) => ['--set', `${key}=127.0.0.1:0`]);
  const { code, stdout, stderr } = await runCli('serve', ...ports, '--set', `storage.directory=${file}`);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^logdrift: storage\.directory: cannot make .*\n$/);
});

test('on a Node that is too old every command says which one it needs, and which this is', async () => {
  const older = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(older)}` };
  for (const command of ['serve', 'top', '--version']) {
    await using cli = startCli([command], { env });
    expect(await cli.exited).toMatchObject({ code: 1 });
    expect([cli.stdout(), cli.stderr()]).toEqual([
      '',
      expect.stringMatching(/^logdrift: needs Node\.js 24 or newer, this is /),
    ]);
  }
});

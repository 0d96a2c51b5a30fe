/** Tools that the peers need (a venv, a Collector, Go programs): built once into a folder of the user's, outside the repository, and reused. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Longest a single install or build step may take: a Collector on one cold core. */
const BUILD_TIMEOUT_MS = 45 * 60_000;

export const TOOLBOX = join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'logdrift-interop');

/**
 * The folder of a tool. `build` fills it when `recipe` (a pinned requirements file, a manifest) has changed or an earlier build was cut short.
 *
 * @param recipe path of the file that says what is in the tool
 */
export async function tool(name: string, recipe: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(TOOLBOX, `${name}-${await digestOf(recipe)}`);
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build(folder);
  await writeFile(complete, '');
  return folder;
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 12);
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
}

/** Runs a command to its end. @returns stdout @throws with the end of what it printed when it fails */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { timeoutMs = BUILD_TIMEOUT_MS, env = process.env, ...rest } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(
    command,
    args,
    { ...rest, env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
    (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new Error(`${command} ${args.join(' ')}: ${error.code ?? error.signal}\n${(stdout + stderr).slice(-4_000)}`),
        );
    },
  );
  return promise;
}

/** The Go command with everything it keeps inside the toolbox: one core, lowest priority, and folders that can be deleted. */
export function go(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run('nice', ['go', ...args], { ...options, env: GO_ENVIRONMENT });
}

export const GO_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  GOPATH: join(TOOLBOX, 'go'),
  GOBIN: join(TOOLBOX, 'bin'),
  GOCACHE: join(TOOLBOX, 'go/cache'),
  GOFLAGS: '-p=1 -buildvcs=false -modcacherw',
  GOTOOLCHAIN: 'local',
};

/** Tools that the peers need (a venv, a Collector, Go programs): built once into a folder of the user's, outside the repository, and reused. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach } from 'vitest';

/** Longest a single install or build step may take: a Collector on a slow cold machine. */
const BUILD_TIMEOUT_MS = 45 * 60_000;

export const TOOLBOX = join(process.env['XDG_CACHE_HOME'] ?? tmpdir(), 'logdrift-interop');

/** What a registry, or the lack of a network, says when something cannot be had from it; not what a compiler says. */
const REFUSALS = [
  // Go
  /^.*(?:\b(?:403 Forbidden|404 Not Found|410 Gone)\b|This module version is not available).*$/m,
  /^.*(?:module lookup disabled|no such host|connection refused|i\/o timeout|TLS handshake timeout).*$/m,
  /^.*(?:\b50[234] (?:Bad Gateway|Service Unavailable|Gateway Time-?out)|connection reset by peer|": unexpected EOF$).*$/m,
  // npm
  /^.*npm error (?:code E40[34]|code ENOTFOUND|code ETARGET|code ECONNREFUSED|40[34] ).*$/m,
  /^.*npm error code (?:E50[0-9]|EAI_AGAIN|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT).*$/m,
  // pip
  /^.*(?:No matching distribution found|Temporary failure in name resolution|HTTP error (?:40[34]|50[0-9])).*$/m,
  /^.*(?:Read timed out|Connection aborted|ConnectTimeoutError).*$/m,
  // Maven
  /^.*Could not (?:find|transfer) artifact.*$/m,
  // The language itself is not on this machine.
  /^.*(?:spawn \S+ ENOENT|nice: .*No such file or directory).*$/m,
];

/**
 * Says what the tests of this file need. What cannot be had on this machine is no fault of ours: the tests are skipped then, with the
 * words of whoever refused. Everything else that goes wrong in `build` fails them.
 */
export function needs(what: string, build: () => Promise<unknown>): void {
  let refusal: string | null = null;
  beforeAll(async () => {
    try {
      await build();
    } catch (error) {
      refusal = refusalIn((error as Error).message);
      if (refusal === null) throw error;
      process.stderr.write(`${what} cannot be had here, its tests are skipped: ${refusal}\n`);
    }
  }, BUILD_TIMEOUT_MS);
  beforeEach(({ skip }) => {
    if (refusal !== null) skip(`${what} cannot be had here: ${refusal}`);
  });
}

/** The line of an output that says that something was refused; null when it failed otherwise. */
export function refusalIn(output: string): string | null {
  for (const pattern of REFUSALS) {
    const line = pattern.exec(output)?.[0];
    if (line !== undefined) return line.trim();
  }
  return null;
}

/**
 * The folder of a tool. `build` fills it when one of the `recipes` (a pinned requirements file, a manifest) has changed or an earlier
 * build was cut short.
 *
 * @param recipes paths of the files that say what is in the tool
 */
export async function tool(
  name: string,
  recipes: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(TOOLBOX, `${name}-${await digestOf(recipes)}`);
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build(folder);
  await writeFile(complete, '');
  return folder;
}

async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(await readFile(path));
  return hash.digest('hex').slice(0, 12);
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

/** The Go command with everything it keeps inside the toolbox: lowest priority, and folders that can be deleted. */
export function go(args: readonly string[], options: RunOptions = {}): Promise<string> {
  return run('nice', ['go', ...args], { ...options, env: GO_ENVIRONMENT });
}

export const GO_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  GOPATH: join(TOOLBOX, 'go'),
  GOBIN: join(TOOLBOX, 'bin'),
  GOCACHE: join(TOOLBOX, 'go/cache'),
  GOFLAGS: '-buildvcs=false -modcacherw',
  GOTOOLCHAIN: 'local',
};

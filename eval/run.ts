/** One set under one configuration: `replay --labels` in a process of its own, its answer kept, so that an interrupted evaluation goes on. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import type { Evaluation } from '../src/replay/evaluation/evaluate.ts';
import type { LabelledSet } from './sets.ts';
import type { Variant } from './variants.ts';

export interface RunResult {
  records: number;
  evaluation: Evaluation;
}

const SRC = new URL('../src/', import.meta.url).pathname;
/** Types are stripped in one thread only, but the flag is the same everywhere (docs/decisions/0012-type-stripping.md). */
const NODE_FLAGS = ['--wasm-wrapper-tiering-budget=1000000000'];

/** Same code, same configuration, same files: same name. */
export function resultFile(cache: string, set: LabelledSet, { set: assignments }: Variant): string {
  const hash = createHash('sha256').update(codeHash());
  hash.update(JSON.stringify(loadConfig({ set: [...assignments], env: {} })));
  for (const path of [set.recording, set.labels]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${mtimeMs}`);
  }
  return join(cache, `${set.name}-${hash.digest('hex').slice(0, 20)}.json`);
}

let code: string | null = null;

/** Of what a replay runs. */
function codeHash(): string {
  if (code !== null) return code;
  const hash = createHash('sha256');
  for (const file of globSync('**/*.ts', { cwd: SRC }).sort()) hash.update(file).update(readFileSync(join(SRC, file)));
  return (code = hash.digest('hex'));
}

export function readResult(file: string): RunResult | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunResult) : null;
}

/** @throws Error with what the replay wrote to standard error */
export async function runReplay(set: LabelledSet, { set: assignments }: Variant, file: string): Promise<RunResult> {
  const options = ['--labels', set.labels, '--json', ...assignments.flatMap((assignment) => ['--set', assignment])];
  const child = spawn(process.execPath, [...NODE_FLAGS, join(SRC, 'cli.ts'), 'replay', set.recording, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  const [stdout, stderr, exit] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => resolve(String(exitCode ?? signal)));
    }),
  ]);
  if (exit !== '0') throw new Error(`replay of ${set.recording} ended with ${exit}: ${stderr.trim()}`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(`${file}.part`, stdout);
  renameSync(`${file}.part`, file);
  return JSON.parse(stdout) as RunResult;
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

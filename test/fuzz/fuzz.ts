/**
 * `npm run fuzz -- --minutes N [--seed S]`: mutated protobuf, JSON, compression, HTTP/1 and HTTP/2 bytes against both receivers, over
 * sockets. An input that is answered in a way not seen before joins the corpus, so the search follows the paths of the code. Findings are
 * written below the system's temporary directory; what is fixed moves to test/fuzz/regressions/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import type { ExportTarget } from '../../src/receive/record.ts';
import {
  frame,
  grpcReceiver,
  Http2Sender,
  httpReceiver,
  HttpSender,
  JSON_TYPE,
  type Listening,
} from '../receive/senders.ts';
import { http1Seeds, jsonSeeds, protobufSeeds, recordHttp2 } from './corpus.ts';
import { createRandom, mutate, type Random } from './mutate.ts';

const KINDS = ['protobuf', 'json', 'compressed', 'grpc', 'grpc-frame', 'http1', 'http2'] as const;
export type Kind = (typeof KINDS)[number];

const MAX_BODY_BYTES = 1_048_576;
const MAX_CORPUS = 500;
const LANES = 8;
const HTTP_ALLOWED = new Set([200, 400, 413, 415]);
const GRPC_ALLOWED = new Set<number>([
  status.OK,
  status.INVALID_ARGUMENT,
  status.RESOURCE_EXHAUSTED,
  status.UNIMPLEMENTED,
]);
/** Bytes that are no HTTP/2 or no message any more: the stream or the connection just ends. */
const FRAME_ALLOWED = new Set<number>([...GRPC_ALLOWED, status.CANCELLED, -1]);
const SETTLE_MS = 20;
/** Longer waits are for ever. */
const GIVE_UP_MS = 15_000;

export interface FuzzOptions {
  seed: number;
  /** Asked before every input. */
  goOn: (inputs: number) => boolean;
  /** CPU time of the main thread that one answer may take; a loaded machine does not count, no answer at all does. */
  hangMs: number;
  onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  inputs: number;
  /** Different answers seen. */
  behaviours: number;
  findings: string[];
  /** How far memory rose after the first fifth of the inputs seen so far. */
  rssRiseMib: number;
}

/** Takes everything in and keeps nothing. */
const bottomless: ExportTarget = {
  begin: () => ({
    sink: {
      wantedAttributes: new Set(['service.name', 'n', 'list']),
      wantedBodyFields: new Set(['msg', 'MESSAGE']),
      resource: () => {},
      scope: () => {},
      record: () => {},
    },
    commit: () => Promise.resolve({ rejectedLogRecords: 0, errorMessage: '' }),
  }),
};

/** What one input is thrown at. */
interface Targets {
  grpc: Listening;
  http: Listening;
  poster: HttpSender;
  caller: () => Http2Sender;
}

/** @returns what was answered; throws on an answer that is not allowed */
async function deliver(kind: Kind, bytes: Buffer, pick: number, targets: Targets): Promise<string> {
  const { poster, caller, grpc, http } = targets;
  const post = async (headers: Record<string, string>): Promise<string> => {
    const { status, body } = await poster.send(bytes, headers);
    if (!HTTP_ALLOWED.has(status)) throw new Error(`HTTP ${status}`);
    return `${status} ${body.toString('latin1').replace(/\d+/g, '#').slice(0, 200)}`;
  };
  const call = async (message: Buffer, headers: Record<string, string>, allowed: Set<number>): Promise<string> => {
    const code = await caller().send(message, headers);
    if (!allowed.has(code)) throw new Error(`gRPC ${code}`);
    return `${code}`;
  };
  const encoding = ['gzip', 'deflate', 'zstd'][pick % 3]!;
  switch (kind) {
    case 'protobuf':
      return post({});
    case 'json':
      return post({ 'content-type': JSON_TYPE });
    case 'compressed':
      if (pick % 2 === 0) return post({ 'content-encoding': encoding });
      return call(frame(bytes, 1), { 'grpc-encoding': encoding }, GRPC_ALLOWED);
    case 'grpc':
      return call(frame(bytes), {}, GRPC_ALLOWED);
    case 'grpc-frame':
      return call(bytes, { 'grpc-encoding': encoding }, FRAME_ALLOWED);
    case 'http1':
      return throwAt(http.port, bytes);
    case 'http2':
      return throwAt(grpc.port, bytes);
  }
}

/** Writes bytes on a connection of their own; the start of what comes back says how they were taken. */
async function throwAt(port: number, bytes: Buffer): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  const settle = setTimeout(resolve, SETTLE_MS);
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.on('close', resolve);
  socket.write(bytes);
  await promise;
  clearTimeout(settle);
  socket.destroy();
  const [, code] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  if (code !== undefined && Number(code) >= 500) throw new Error(`HTTP ${code}`);
  return answer.replace(/\d+/g, '#').slice(0, 40);
}

async function seeds(): Promise<Map<Kind, Buffer[]>> {
  const packed = [gzipSync, deflateSync, zstdCompressSync].flatMap((pack) => protobufSeeds.map((bytes) => pack(bytes)));
  return new Map<Kind, Buffer[]>([
    ['protobuf', [...protobufSeeds]],
    ['json', [...jsonSeeds]],
    ['compressed', [...packed, Buffer.concat(packed.slice(-3))]],
    ['grpc', [...protobufSeeds]],
    ['grpc-frame', [frame(protobufSeeds[0]!), ...packed.map((bytes) => frame(bytes, 1))]],
    ['http1', [...http1Seeds]],
    ['http2', [await recordHttp2(0), await recordHttp2(2)]],
  ]);
}

async function openTargets(): Promise<Targets & AsyncDisposable> {
  const grpc = await grpcReceiver({ target: bottomless, maxRequestBytes: MAX_BODY_BYTES });
  const http = await httpReceiver({ target: bottomless, maxRequestBytes: MAX_BODY_BYTES });
  const poster = new HttpSender(http.port);
  let current = new Http2Sender(grpc.port);
  return {
    grpc,
    http,
    poster,
    caller: () =>
      current.session.closed || current.session.destroyed ? (current = new Http2Sender(grpc.port)) : current,
    async [Symbol.asyncDispose]() {
      current[Symbol.dispose]();
      await poster[Symbol.asyncDispose]();
      await grpc.close(0);
      await http.close(0);
    },
  };
}

/** Throws one input at fresh receivers. @throws when the answer is not allowed, or they do not live on */
export async function replayInput(kind: Kind, bytes: Buffer): Promise<void> {
  await using targets = await openTargets();
  for (let pick = 0; pick < 6; pick++) await deliver(kind, bytes, pick, targets);
  await deliver('protobuf', protobufSeeds[0]!, 0, targets);
  await deliver('grpc', protobufSeeds[0]!, 0, targets);
  const [fault] = [...targets.grpc.faults, ...targets.http.faults];
  if (fault !== undefined) throw fault as Error;
}

export async function fuzz({ seed, goOn, hangMs, onProgress }: FuzzOptions): Promise<FuzzReport> {
  await using targets = await openTargets();
  const corpus = await seeds();
  const seen = new Set<string>();
  const report: FuzzReport = { inputs: 0, behaviours: 0, findings: [], rssRiseMib: 0 };
  let reference = { inputs: 0, rss: 0 };

  const one = async (random: Random): Promise<void> => {
    const kind = KINDS[random(KINDS.length)]!;
    const known = corpus.get(kind)!;
    const bytes = mutate(known[random(known.length)]!, known[random(known.length)]!, random);
    const pick = random(6);
    const startMs = mainCpuMs();
    const delivery = deliver(kind, bytes, pick, targets);
    try {
      const answer = await Promise.race([delivery, delay(GIVE_UP_MS, 'never', { ref: false })]);
      const tookMs = Math.round(mainCpuMs() - startMs);
      if (tookMs > hangMs || answer === 'never') {
        report.findings.push(keep(kind, bytes, `answered ${answer} after ${tookMs} ms of CPU, pick ${pick}`));
      }
      const behaviour = `${kind} ${answer}`;
      if (seen.has(behaviour)) return;
      seen.add(behaviour);
      if (known.length < MAX_CORPUS) known.push(bytes);
    } catch (error) {
      report.findings.push(keep(kind, bytes, (error as Error).message));
    }
  };

  const lane = async (index: number): Promise<void> => {
    const random = createRandom(seed * LANES + index);
    while (goOn(report.inputs)) {
      report.inputs++;
      await one(random);
      for (const { observed, oddities, faults } of [targets.grpc, targets.http]) {
        for (const fault of faults.splice(0)) report.findings.push(`fault of ours: ${(fault as Error).stack}`);
        observed.length = oddities.length = 0;
      }
      // Warm at a fifth of the way, wherever that will turn out to be.
      const rss = process.memoryUsage.rss();
      if (report.inputs > reference.inputs * 5) reference = { inputs: report.inputs, rss };
      report.rssRiseMib = Math.max(0, (rss - reference.rss) / 1_048_576);
      report.behaviours = seen.size;
      onProgress?.(report);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  return report;
}

function mainCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function keep(kind: Kind, bytes: Buffer, problem: string): string {
  const directory = join(tmpdir(), 'logdrift-fuzz');
  const name = `${kind}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.bin`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), bytes);
  return `${join(directory, name)}: ${problem}`;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const endMs = performance.now() + Number(values.minutes) * 60_000;
  let shownMs = 0;
  process.stdout.write(`seed ${values.seed}\n`);
  const report = await fuzz({
    seed: Number(values.seed),
    hangMs: 1000,
    goOn: () => performance.now() < endMs,
    onProgress: ({ inputs, behaviours, findings, rssRiseMib }) => {
      if (performance.now() - shownMs < 10_000) return;
      shownMs = performance.now();
      process.stdout.write(
        `${inputs} inputs, ${behaviours} behaviours, ${findings.length} findings, RSS +${Math.round(rssRiseMib)} MiB\n`,
      );
    },
  });
  process.stdout.write(
    `${report.inputs} inputs, ${report.behaviours} behaviours, RSS +${Math.round(report.rssRiseMib)} MiB\n`,
  );
  for (const finding of report.findings) process.stdout.write(`FOUND ${finding}\n`);
  return report.findings.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();

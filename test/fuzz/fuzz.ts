/**
 * `npm run fuzz -- --minutes N [--inputs N] [--seed S]`: mutated protobuf, JSON, compression, HTTP/1 and HTTP/2 bytes against both receivers,
 * over sockets. An input that makes a line of the receivers run that never ran before, or is answered in a way not seen before, joins the corpus,
 * so the search follows the paths of the code. Findings are written below the system's temporary directory; what is fixed moves to
 * test/fuzz/regressions/.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { randomRequest } from '../receive/json/trees.ts';
import { frame } from '../receive/senders.ts';
import { http1Seeds, jsonSeeds, protobufSeeds, recordHttp2 } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { createRandom, mutate, type Random } from './mutate.ts';
import { deliver, KINDS, openTargets, type Kind, type Targets } from './targets.ts';

/** Four of five inputs. */
const DIRECT: readonly Kind[] = ['export-json', 'export-json', 'export-protobuf'];
const MAX_CORPUS = 2000;
const LANES = 8;
/** Inputs between two looks at the coverage: a look takes as long as some ten of them. */
const BATCH = 1024;
/** What the first ones reach is easily reached again and not worth a hunt. */
const EASY_INPUTS = 16_384;
/** From here on new parts are rare, and looking for them takes longer than throwing: the rest is mutated from what was kept. */
const FOLLOWED_INPUTS = 32_768;
/** Of so few inputs it is not worth finding out which one it was. */
const KEPT_TOGETHER = 2;
/** Longer waits are for ever; on a machine that is busy with other work ten seconds are nothing. */
const GIVE_UP_MS = 60_000;
const PROGRESS_MS = 30_000;

export interface FuzzOptions {
  seed: number;
  /** Asked before every batch. */
  goOn: (inputs: number) => boolean;
  /** CPU time of the main thread that one answer may take; a loaded machine does not count, no answer at all does. */
  hangMs: number;
  /** Follow what runs, too, and not only the answers. Worth its time in long runs. */
  followsCoverage: boolean;
  onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  inputs: number;
  /** Inputs of each kind, and how many of them got which code: `json 400`. */
  kinds: Map<Kind, number>;
  codes: Map<string, number>;
  /** Different answers seen. */
  behaviours: number;
  /** Inputs kept because they reached something new, and how much of the receivers' source has run. */
  kept: number;
  /** What the kept inputs hold in memory. */
  keptMib: number;
  reachedCharacters: number;
  /** CPU time of the main thread until the slowest answer, with that of the inputs beside it. */
  slowestMs: number;
  slowestKind: Kind | null;
  findings: string[];
  rssStartMib: number;
  rssMib: number;
  /** How far memory rose after the first fifth of the inputs seen so far. */
  rssRiseMib: number;
}

/** Inputs to start from. */
interface Corpus {
  accepted: Buffer[];
  refused: Buffer[];
}

interface Input {
  kind: Kind;
  bytes: Buffer;
  pick: number;
  /** It was taken in. */
  isAccepted: boolean;
}

async function seeds(): Promise<Map<Kind, Corpus>> {
  const packed = [gzipSync, deflateSync, zstdCompressSync].flatMap((pack) => protobufSeeds.map((bytes) => pack(bytes)));
  const of = (accepted: Buffer[]): Corpus => ({ accepted, refused: [] });
  const protobuf = of([...protobufSeeds]);
  const json = of([...jsonSeeds]);
  return new Map([
    ['export-protobuf', protobuf],
    ['protobuf', protobuf],
    ['grpc', protobuf],
    ['export-json', json],
    ['json', json],
    ['compressed', of([...packed, Buffer.concat(packed.slice(-3))])],
    ['grpc-frame', of([frame(protobufSeeds[0]!), ...packed.map((bytes) => frame(bytes, 1))])],
    ['http1', of([...http1Seeds])],
    ['http2', of([await recordHttp2(0), await recordHttp2(2)])],
  ]);
}

class Fuzzer {
  readonly report: FuzzReport;
  readonly #targets: Targets;
  readonly #corpus: Map<Kind, Corpus>;
  #coverage: Coverage | null;
  readonly #hangMs: number;
  readonly #seen = new Set<string>();
  #reference = { inputs: 0, rssMib: 0 };

  constructor(targets: Targets, corpus: Map<Kind, Corpus>, coverage: Coverage | null, hangMs: number) {
    this.#targets = targets;
    this.#corpus = corpus;
    this.#coverage = coverage;
    this.#hangMs = hangMs;
    const rssStartMib = rssMib();
    this.report = {
      inputs: 0,
      kinds: new Map(),
      codes: new Map(),
      behaviours: 0,
      kept: 0,
      keptMib: 0,
      reachedCharacters: 0,
      slowestMs: 0,
      slowestKind: null,
      findings: [],
      rssStartMib,
      rssMib: rssStartMib,
      rssRiseMib: 0,
    };
  }

  async batch(random: Random): Promise<void> {
    const { report } = this;
    const inputs = Array.from({ length: BATCH }, () => this.#next(random));
    report.inputs += inputs.length;
    for (const { kind } of inputs) report.kinds.set(kind, (report.kinds.get(kind) ?? 0) + 1);
    await this.#throwAll(inputs, true);
    if (this.#coverage !== null) {
      await this.#follow(inputs, this.#coverage);
      if (report.inputs >= FOLLOWED_INPUTS) this.close();
    }
    // Warm at a fifth of the way, wherever that will turn out to be.
    report.rssMib = rssMib();
    if (report.inputs > this.#reference.inputs * 5) this.#reference = { inputs: report.inputs, rssMib: report.rssMib };
    report.rssRiseMib = Math.max(0, report.rssMib - this.#reference.rssMib);
    report.behaviours = this.#seen.size;
  }

  #next(random: Random): Input {
    const kind = random(5) > 0 ? DIRECT[random(DIRECT.length)]! : KINDS[random(KINDS.length)]!;
    const { accepted, refused } = this.#corpus.get(kind)!;
    // Damage to a damaged input is mostly refused where the first damage is.
    const known = refused.length > 0 && random(4) === 0 ? refused : accepted;
    const isFresh = kind === 'export-json' && random(8) === 0;
    const bytes = isFresh ? Buffer.from(randomRequest(random)) : known[random(known.length)]!;
    const other = accepted[random(accepted.length)]!;
    const mutated = isFresh && random(4) === 0 ? bytes : mutate(bytes, other, random);
    return { kind, bytes: mutated, pick: random(6), isAccepted: false };
  }

  /** The seeds themselves: what they reach is nothing new. */
  async warmUp(): Promise<void> {
    if (this.#coverage === null) return;
    const inputs = [...this.#corpus].flatMap(([kind, { accepted }]) =>
      accepted.map((bytes) => ({ kind, bytes, pick: 0, isAccepted: false })),
    );
    await this.#throwAll(inputs, false);
    this.#coverage.add(await this.#coverage.take());
  }

  close(): void {
    this.#coverage?.[Symbol.dispose]();
    this.#coverage = null;
  }

  async #follow(inputs: readonly Input[], coverage: Coverage): Promise<void> {
    const reached = await coverage.take();
    if (!coverage.isNew(reached)) return;
    if (this.report.inputs > EASY_INPUTS) await this.#hunt(inputs, coverage);
    // What no group of them does again came from their order or from timing.
    coverage.add(reached);
    this.report.reachedCharacters = coverage.size;
  }

  /** Finds by halves which inputs reach something new, and keeps them. */
  async #hunt(inputs: readonly Input[], coverage: Coverage): Promise<void> {
    await this.#throwAll(inputs, false);
    const reached = await coverage.take();
    if (!coverage.isNew(reached)) return;
    if (inputs.length <= KEPT_TOGETHER) {
      coverage.add(reached);
      for (const input of inputs) this.#keep(input);
      return;
    }
    await this.#hunt(inputs.slice(0, inputs.length >> 1), coverage);
    await this.#hunt(inputs.slice(inputs.length >> 1), coverage);
  }

  #keep({ kind, bytes, isAccepted }: Input): void {
    const { accepted, refused } = this.#corpus.get(kind)!;
    const known = isAccepted ? accepted : refused;
    if (known.length === MAX_CORPUS) return;
    known.push(Buffer.from(bytes)); // a view may be a corner of something large
    this.report.kept++;
    this.report.keptMib += bytes.length / 1_048_576;
  }

  async #throwAll(inputs: readonly Input[], isCounted: boolean): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < inputs.length) await this.#throw(inputs[next++]!, isCounted);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    for (const { observed, oddities, faults } of [this.#targets.grpc, this.#targets.http]) {
      for (const fault of faults.splice(0)) this.report.findings.push(`fault of ours: ${(fault as Error).stack}`);
      observed.length = oddities.length = 0;
    }
  }

  async #throw(input: Input, isCounted: boolean): Promise<void> {
    const { report } = this;
    const { kind, bytes, pick } = input;
    const startMs = mainCpuMs();
    try {
      const answer = await orNever(deliver(kind, bytes, pick, this.#targets));
      const tookMs = Math.round(mainCpuMs() - startMs);
      if (tookMs > this.#hangMs || answer === 'never') {
        report.findings.push(store(kind, bytes, `answered ${answer} after ${tookMs} ms of CPU, pick ${pick}`));
      }
      const [code] = answer.split(' ', 1);
      input.isAccepted = code === '200' || code === '0';
      if (!isCounted) return;
      if (tookMs > report.slowestMs) {
        report.slowestMs = tookMs;
        report.slowestKind = kind;
      }
      const name = `${kind} ${code}`;
      report.codes.set(name, (report.codes.get(name) ?? 0) + 1);
      const behaviour = `${kind} ${answer}`;
      if (this.#seen.has(behaviour)) return;
      this.#seen.add(behaviour);
      this.#keep(input);
    } catch (error) {
      report.findings.push(store(kind, bytes, `${(error as Error).message}, pick ${pick}`));
    }
  }
}

export async function fuzz({ seed, goOn, hangMs, followsCoverage, onProgress }: FuzzOptions): Promise<FuzzReport> {
  await using targets = await openTargets();
  const coverage = followsCoverage ? await Coverage.open() : null;
  const fuzzer = new Fuzzer(targets, await seeds(), coverage, hangMs);
  const random = createRandom(seed);
  await fuzzer.warmUp();
  while (goOn(fuzzer.report.inputs)) {
    await fuzzer.batch(random);
    onProgress?.(fuzzer.report);
  }
  fuzzer.close();
  return fuzzer.report;
}

async function orNever(delivery: Promise<string>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(resolve, GIVE_UP_MS, 'never');
  try {
    return await Promise.race([delivery, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function rssMib(): number {
  return process.memoryUsage.rss() / 1_048_576;
}

function mainCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function store(kind: Kind, bytes: Buffer, problem: string): string {
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
      inputs: { type: 'string', default: 'Infinity' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const startMs = performance.now();
  const endMs = startMs + Number(values.minutes) * 60_000;
  let shownMs = startMs;
  let shownFindings = 0;
  process.stdout.write(`seed ${values.seed}\n`);
  const report = await fuzz({
    seed: Number(values.seed),
    hangMs: 1000,
    followsCoverage: true,
    goOn: (inputs) => performance.now() < endMs && inputs < Number(values.inputs),
    onProgress: (report) => {
      if (performance.now() - shownMs < PROGRESS_MS) return;
      shownMs = performance.now();
      process.stdout.write(`${summary(report)}\n`);
      for (; shownFindings < report.findings.length; shownFindings++) {
        process.stdout.write(`FOUND ${report.findings[shownFindings]!}\n`);
      }
    },
  });
  process.stdout.write(`${summary(report)}\n`);
  for (const counts of [report.kinds, report.codes]) {
    const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    process.stdout.write(`${sorted.map(([name, count]) => `${name}: ${count}`).join(', ')}\n`);
  }
  for (const finding of report.findings.slice(shownFindings)) process.stdout.write(`FOUND ${finding}\n`);
  return report.findings.length === 0 ? 0 : 1;
}

function summary(report: FuzzReport): string {
  const { inputs, behaviours, kept, keptMib, reachedCharacters, findings, slowestMs, slowestKind } = report;
  const memory = `RSS ${Math.round(report.rssStartMib)} to ${Math.round(report.rssMib)} MiB`;
  return (
    `${inputs} inputs, ${findings.length} findings, ${behaviours} behaviours, ${kept} kept (${Math.round(keptMib)} MiB), ${reachedCharacters} characters of the source reached, ` +
    `slowest ${slowestMs} ms of CPU (${slowestKind}), ${memory}`
  );
}

if (import.meta.main) process.exitCode = await main();

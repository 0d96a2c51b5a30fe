/**
 * Mines lines written from the formats of open-source programs, and says how well lines of one format are found to be one template.
 *
 *     npm run eval:formats [-- --misses PROGRAM [--seed N] | --write DIR]
 *
 * --misses shows for a program that is not held out which events are split or merged; --write the samples as `NAME.tsv.gz` for `npm run eval:templates`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { HALVES, programs, sampleOf, SEEDS } from './formats/sample.ts';
import { meanOf, mine, scoreDrain, scoreProgram, type Accuracy } from './formats/score.ts';

const { values } = parseArgs({
  options: { misses: { type: 'string' }, seed: { type: 'string', default: '1' }, write: { type: 'string' } },
});
const seed = Number(values.seed);
if (values.misses !== undefined) showMisses(values.misses);
else if (values.write !== undefined) writeSamples(values.write);
else printScores();

function printScores(): void {
  const rows = programs().map((program) => ({
    ...program,
    ...meanOf(SEEDS.map((seed) => scoreProgram(program, seed))),
    drain: meanOf(SEEDS.map((seed) => scoreDrain(program, seed))),
  }));
  for (const half of HALVES) {
    const own = rows.filter((row) => row.half === half);
    console.log(`\n| ${half} | GA | FGA | of a plain Drain |\n|---|---|---|---|`);
    for (const row of own) console.log(`| ${row.name} | ${both(row)} |`);
    console.log(`| mean | ${both({ ...meanOf(own), drain: meanOf(own.map((row) => row.drain)) })} |`);
  }
}

function both({ ga, fga, drain }: Accuracy & { drain: Accuracy }): string {
  return `${digits(ga)} | ${digits(fga)} | ${digits(drain.ga)}/${digits(drain.fga)}`;
}

function digits(value: number): string {
  return value.toFixed(3).replace(/^0/, '');
}

function showMisses(name: string): void {
  const program = programs().find((one) => one.name === name && one.half !== 'held out');
  if (program === undefined) throw new Error(`no program ${name} among those that may be looked at`);
  const lines = sampleOf(program, seed);
  const templates = mine(lines);
  const linesOf = (pick: (line: number) => string): Map<string, number[]> => Map.groupBy(lines.keys(), pick);
  const byEvent = linesOf((line) => lines[line]!.event);
  const byTemplate = linesOf((line) => templates[line]!.id);
  for (const [event, own] of byEvent) {
    const found = new Set(own.map((line) => templates[line]!.id));
    const whole = found.size === 1 && byTemplate.get([...found][0]!)!.length === own.length;
    if (whole) continue;
    console.log(`\n${own.length} lines, ${found.size} templates: ${event}`);
    for (const id of [...found].slice(0, 6)) {
      const all = byTemplate.get(id)!;
      const events = new Set(all.map((line) => lines[line]!.event)).size;
      console.log(`    ${all.length}${events > 1 ? ` of ${events} events` : ''}: ${templates[all[0]!]!.text}`);
    }
  }
}

function writeSamples(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const program of programs()) {
    const rows = sampleOf(program, seed).map(({ text, event }) => `${text}\t${event.replaceAll('\t', ' ')}\n`);
    writeFileSync(join(directory, `${program.name}.tsv.gz`), gzipSync(rows.join('')));
  }
}

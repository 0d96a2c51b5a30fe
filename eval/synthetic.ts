/**
 * Writes the synthetic week as a recording, for `replay --labels` and for a look at it.
 *
 *     npm run eval:synthetic -- OUT [--seed 1] [--days 7]      OUT.otlp.jsonl.gz and OUT.labels.json
 */
import { parseArgs } from 'node:util';
import { writeSynthetic } from './synthetic/write.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, days: { type: 'string', default: '7' } },
});
const [out] = positionals;
const [seed, days] = [Number(values.seed), Number(values.days)];
if (out === undefined || !Number.isInteger(seed) || !(days > 1 && days <= 366)) {
  console.error('usage: npm run eval:synthetic -- OUT [--seed INTEGER] [--days 2…366]');
  process.exit(64);
}
const records = await writeSynthetic(out, { seed, days });
console.log(`${out}.otlp.jsonl.gz: ${records} records of ${days} days, seed ${seed}; faults in ${out}.labels.json`);

/**
 * Mines labelled samples with the default configuration, for grouping accuracy.
 *
 *     npm run eval:templates -- DIR --assignments OUT
 *
 * DIR holds `NAME.tsv.gz`: message TAB label, a line each. Writes `OUT/NAME.ids`: the template id of the same line. Ids are those at the end of the
 * sample, when every template has its final text; clusters that ended as one are one template.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { survivor } from '../src/detect/miner/tree/cluster.ts';
import { Miner } from '../src/detect/miner/miner.ts';

const SUFFIX = '.tsv.gz';

/** Final template id of each line. */
function mine(messages: readonly string[]): string[] {
  const miner = new Miner();
  const clusters = messages.map((message) => {
    const bytes = Buffer.from(message);
    return miner.observe(bytes, 0, bytes.length);
  });
  return clusters.map((cluster) => survivor(cluster).shared.id);
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { assignments: { type: 'string' } } });
const [samples] = positionals;
const out = values.assignments;
if (samples === undefined || out === undefined) {
  console.error('usage: npm run eval:templates -- DIR --assignments OUT   (DIR holds NAME.tsv.gz: message TAB label)');
  process.exit(64);
}
const files = readdirSync(samples).filter((file) => file.endsWith(SUFFIX));
if (files.length === 0) {
  console.error(`eval-templates: no *${SUFFIX} in ${samples}`);
  process.exit(66);
}
mkdirSync(out, { recursive: true });
for (const file of files.sort()) {
  const rows = gunzipSync(readFileSync(join(samples, file)))
    .toString('utf8')
    .split('\n');
  if (rows.at(-1) === '') rows.pop();
  const ids = mine(rows.map((row) => row.slice(0, row.lastIndexOf('\t'))));
  const name = file.slice(0, -SUFFIX.length);
  writeFileSync(join(out, `${name}.ids`), ids.map((id) => `${id}\n`).join(''));
  console.log(`${name}: ${rows.length} lines, ${new Set(ids).size} templates`);
}

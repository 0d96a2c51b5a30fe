import { ROW, ROW_BYTES, type RecordFrame } from '../detect/frame.ts';
import { createShard, type ShardOptions } from './core.ts';

const ROUNDS = 4;
const RECORDS = 1_000;

/**
 * Mines some made-up lines into a shard that is thrown away. Cold code took over 100 ms for its first 10,000 records on a busy machine,
 * which is longer than a sender waits for room: the first large request after a start lost records.
 */
export function warmUp({ detector }: ShardOptions): void {
  const options = { detector, waiting: new Int32Array(1), persist: false };
  const shard = createShard(options, () => undefined, null);
  void shard({ type: 'open', handle: 0, key: 'warm:up', stored: null, resumed: false, muted: false });
  for (let round = 0; round < ROUNDS; round++) void shard({ type: 'records', frame: madeUpLines(round) });
}

function madeUpLines(round: number): RecordFrame {
  const lines = Array.from({ length: RECORDS }, (_, i) => {
    const verb = ['GET', 'POST', 'connected', 'failed'][i % 4]!;
    return Buffer.from(
      `2026-08-21T10:00:${round}.${i} ${verb} /item/${i}?id=${(i * 7919).toString(16)} from 10.0.${round}.${i % 256} in ${i % 97} ms`,
    );
  });
  const rows = new DataView(new ArrayBuffer(RECORDS * ROW_BYTES));
  for (const [i, line] of lines.entries()) rows.setUint32(i * ROW_BYTES + ROW.textBytes, line.length, true);
  const text = new Uint8Array(Buffer.concat(lines));
  return { count: RECORDS, rows: rows.buffer, text: text.buffer, textBytes: text.length };
}

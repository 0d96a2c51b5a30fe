import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Row {
  name: string;
  nanosPerLine: number;
  bytesPerLine: number;
  againstNanosPerLine: number;
  templates: number;
  evicted: number;
}

// In a process of its own: vitest turns imports into property reads, which a loop over bytes feels.
const script = fileURLToPath(new URL('./miner-speed.ts', import.meta.url));
const { steady, hostile, heapBytesPerLine, bytesHeld } = JSON.parse(
  execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' }),
) as { steady: Row[]; hostile: Row[]; heapBytesPerLine: number; bytesHeld: Record<string, number> };

test('steady state: against a string Drain on the same lines', () => {
  let [ours, theirs] = [0, 0];
  for (const { name, nanosPerLine, againstNanosPerLine, templates } of steady) {
    ours += nanosPerLine;
    theirs += againstNanosPerLine;
    const ratio = (againstNanosPerLine / nanosPerLine).toFixed(1);
    console.log(
      `${name}: ${ratio}x (${nanosPerLine.toFixed(0)} against ${againstNanosPerLine.toFixed(0)} ns/line, ${templates} templates)`,
    );
  }
  console.log(`all formats: ${(theirs / ours).toFixed(1)}x; heap ${heapBytesPerLine.toFixed(2)} B/line`);
  expect(theirs / ours).toBeGreaterThan(1);
  expect(heapBytesPerLine).toBeLessThan(1);
});

test('memory of a source: templates and shapes', () => {
  for (const [name, bytes] of Object.entries(bytesHeld)) {
    console.log(`${name}: ${(bytes / 1024).toFixed(0)} KiB`);
    expect(bytes).toBeLessThan(4 * 2 ** 20);
  }
});

test('hostile streams: lines a second against ordinary text', () => {
  const normal = steady[0]!;
  for (const { name, nanosPerLine, bytesPerLine, againstNanosPerLine, templates, evicted } of hostile) {
    const share = (100 * againstNanosPerLine) / nanosPerLine;
    const ofBytes = (share * bytesPerLine) / normal.bytesPerLine;
    console.log(
      `${name}: ${share.toFixed(0)} % of the lines, ${ofBytes.toFixed(0)} % of the bytes (${nanosPerLine.toFixed(0)} ns/line, ${templates} clusters, ${evicted} evicted)`,
    );
    expect(templates).toBeLessThanOrEqual(1024);
  }
});

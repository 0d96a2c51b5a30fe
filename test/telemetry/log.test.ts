import { expect, test } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';

const NOON_MS = Date.UTC(2026, 10, 22, 13);

function capture(level?: 'debug' | 'info' | 'warn' | 'error') {
  const lines: string[] = [];
  const clock = { nowMs: NOON_MS };
  const log = createLog({ write: (line) => lines.push(line), now: () => clock.nowMs, ...(level && { level }) });
  return { log, lines, clock };
}

test('a line holds time, padded level, message and fields', () => {
  const { log, lines } = capture();
  log.info('Listening', { endpoint: '127.0.0.1:4317', tls: false, note: 'two words', none: undefined });
  log.error('Gone');
  expect(lines).toEqual([
    '2026-11-22T13:00:00.000Z info  Listening endpoint=127.0.0.1:4317 tls=false note="two words"\n',
    '2026-11-22T13:00:00.000Z error Gone\n',
  ]);
});

test('a message is printed as it is', () => {
  const { log, lines } = capture();
  log.info('Creating drift detector for source: file:nginx (total detectors: 1)');
  expect(lines[0]).toContain(' Creating drift detector for source: file:nginx (total detectors: 1)\n');
});

test('text from logs can neither forge a line nor send terminal escapes', () => {
  const { log, lines } = capture();
  log.warn('bad\n2026 info forged', { source: 'a\u001b[31mred\r\nx\u202egpj\u061c' });
  expect(lines).toHaveLength(1);
  expect(lines[0]!.slice(0, -1)).not.toMatch(/[\n\r\u001b\u061c\u202e]/);
  expect(lines[0]).toContain('a\\x1b[31mred\\x0d\\nx\\u202egpj\\u061c');
  expect(lines[0]).toContain('bad\\n2026 info forged');
});

test('lines below the level are not written', () => {
  const { log, lines } = capture('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  expect(lines).toHaveLength(1);
});

test('a limited warning is printed at once, then once an interval with the number left out', () => {
  const { log, lines, clock } = capture();
  for (let i = 0; i < 5; i++) log.warnLimited('full', 'Queue full', { size: 10 });
  log.warnLimited('other', 'Other');
  expect(lines).toHaveLength(2);
  clock.nowMs += 60_000;
  log.warnLimited('full', 'Queue full', { size: 10 });
  expect(lines[2]).toContain('Queue full size=10 suppressed=4');
});

test('warnOnce never repeats a key', () => {
  const { log, lines, clock } = capture();
  log.warnOnce('unmapped', 'No source');
  clock.nowMs += 86_400_000;
  log.warnOnce('unmapped', 'No source');
  expect(lines).toHaveLength(1);
});

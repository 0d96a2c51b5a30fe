import { expect, test } from 'vitest';
import { MAX_LINE_BYTES, REFUSED, ROW, ROW_BYTES, type RecordFrame } from '../../src/detect/frame.ts';
import { newDecodedRecord } from '../../src/receive/decoded.ts';
import type { DecodedRecord } from '../../src/receive/record.ts';
import { addressFrame, FRAME_RECORDS, FrameBuilder } from '../../src/source/frame-builder.ts';

function record(text: string, more: Partial<DecodedRecord> = {}): DecodedRecord {
  const bytes = Buffer.from(`>>${text}<<`);
  return { ...newDecodedRecord(bytes), textStart: 2, textEnd: bytes.length - 2, ...more };
}

function rowsOf({ count, rows, text }: RecordFrame) {
  const view = new DataView(rows);
  let at = 0;
  const take = (length: number): string => Buffer.from(text, at, (at += length) && length).toString();
  return Array.from({ length: count }, (_, i) => {
    const row = i * ROW_BYTES;
    return {
      timeMs: view.getFloat64(row + ROW.timeMs, true),
      handle: view.getInt32(row + ROW.handle, true),
      severity: view.getUint32(row + ROW.severity, true),
      text: take(view.getUint32(row + ROW.textBytes, true)),
      template: take(view.getUint32(row + ROW.templateBytes, true)),
      trace: Buffer.from(rows, row + ROW.traceId, 16).toString('hex'),
      span: Buffer.from(rows, row + ROW.spanId, 8).toString('hex'),
    };
  });
}

test('what goes in is in the rows, byte for byte, while the buffers grow', () => {
  const builder = new FrameBuilder(1);
  const ids = Uint8Array.from({ length: 24 }, (_, i) => i + 1);
  const template = Buffer.from('user <*> in');
  for (let i = 0; i < 500; i++) {
    const mined = i % 3 === 0 ? { template, templateStart: 0, templateEnd: template.length } : {};
    const traced = i % 2 === 0 ? { ids, traceStart: 0, spanStart: 16 } : {};
    builder.append(i % 7, i + 0.25, record('ä'.repeat(i % 90), { severityNumber: i % 25, ...mined, ...traced }));
  }
  const rows = rowsOf(builder.build());
  expect(rows).toHaveLength(500);
  for (const [i, row] of rows.entries()) {
    expect(row).toEqual({
      timeMs: i + 0.25,
      handle: i % 7,
      severity: i % 25,
      text: 'ä'.repeat(i % 90),
      template: i % 3 === 0 ? 'user <*> in' : '',
      trace: i % 2 === 0 ? '0102030405060708090a0b0c0d0e0f10' : '0'.repeat(32),
      span: i % 2 === 0 ? '1112131415161718' : '0'.repeat(16),
    });
  }
});

test('lines and templates are cut at their limit', () => {
  const builder = new FrameBuilder(1);
  const long = Buffer.alloc(1_000_000, 'x');
  builder.append(0, 0, record('y'.repeat(1_000_000), { template: long, templateStart: 0, templateEnd: long.length }));
  const [row] = rowsOf(builder.build());
  expect([row!.text.length, row!.template.length]).toEqual([MAX_LINE_BYTES, MAX_LINE_BYTES]);
});

test('a frame is full at 1,000 records or 1 MiB of text', () => {
  const short = new FrameBuilder(1);
  for (let i = 0; i < FRAME_RECORDS; i++) {
    expect(short.full).toBe(false);
    short.append(0, 0, record(''));
  }
  expect(short.full).toBe(true);
  const long = new FrameBuilder(1);
  while (!long.full) long.append(0, 0, record('z'.repeat(MAX_LINE_BYTES)));
  expect(long.count).toBe(128);
});

test('addressing gives each row the handle of its source and counts those taken out', () => {
  const builder = new FrameBuilder(1);
  for (const index of [0, 1, 2, 1, 0]) builder.append(index, 0, record('a'));
  const frame = builder.build();
  expect(addressFrame(frame, Int32Array.of(7, REFUSED, 3))).toBe(2);
  expect(rowsOf(frame).map(({ handle }) => handle)).toEqual([7, REFUSED, 3, REFUSED, 7]);
});

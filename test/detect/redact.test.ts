import { describe, expect, test } from 'vitest';
import { MAX_LINE_BYTES } from '../../src/detect/frame.ts';
import { Redactor } from '../../src/detect/redact.ts';
import { Drive, times } from './drive.ts';

function redact(patterns: string[], text: string): string {
  const bytes = Buffer.from(`before ${text} behind`);
  const out = new Redactor(patterns).redact(bytes, 7, bytes.length - 7);
  return Buffer.from(out).toString('utf8');
}

describe('redaction', () => {
  test('replaces every match of every pattern and reads nothing outside the line', () => {
    expect(redact(['token=\\S+', '\\d{4}-\\d{4}'], 'token=abc card 1234-5678 and 9999-0000 ok')).toBe(
      '<redacted> card <redacted> and <redacted> ok',
    );
    expect(redact(['before|behind'], 'x')).toBe('x');
    expect(redact(['.+'], '')).toBe('');
  });

  test('patterns are Unicode: a character outside the BMP is one', () => {
    expect(redact(['^.$'], '😀')).toBe('<redacted>');
    expect(redact(['\\p{Lu}+'], 'straße ÄÖ')).toBe('straße <redacted>');
  });

  test('patterns whose matches feed one another cannot make a line grow without bound', () => {
    expect(redact(Array<string>(6).fill('[a-z]'), 'a'.repeat(MAX_LINE_BYTES)).length).toBeLessThanOrEqual(
      MAX_LINE_BYTES,
    );
    expect(redact(Array<string>(6).fill(''), 'hello').length).toBeLessThanOrEqual(MAX_LINE_BYTES);
  });

  test('comes before everything: no template, sample, embedded text or checkpoint holds the secret', () => {
    const drive = new Drive({ redact: ['hunter\\d*'] });
    drive.detector.open(0, 'file:a');
    const embedded: string[] = [];
    const collect = (text: string) => (embedded.push(text), true);
    for (let i = 0; i < 40; i++) drive.step(times(9, 'usual'), { embed: collect });
    const lines = Array.from({ length: 60 }, (_, i) => [
      { text: `login with password hunter${i} was refused`, trace: 'ab'.repeat(16) },
      { text: `given hunter${i}`, template: 'password hunter2 of {user}' },
    ]).flat();
    const [verdict] = drive.step(lines, { embed: collect });
    expect(verdict!.severity).toBe('critical');
    expect(verdict!.newTemplates).toEqual([
      'login with password <redacted> was refused',
      'password <redacted> of {user}',
    ]);
    expect(verdict!.topTemplates.map(({ samples }) => samples[0])).toContain(
      'login with password <redacted> was refused',
    );
    expect(verdict!.topTemplates.map(({ samples }) => samples[0])).toContain('given <redacted>');
    expect(verdict!.topTemplates[0]!.traceIds.length + verdict!.topTemplates[1]!.traceIds.length).toBe(1);
    const delta = drive.detector.takeDelta(0)!;
    const written = [
      delta.meta,
      ...[...delta.templates, ...delta.windows].map(({ blob }) => Buffer.from(blob).toString('latin1')),
    ];
    expect([JSON.stringify(verdict), ...embedded, ...written].join('\n')).not.toContain('hunter');
  });
});

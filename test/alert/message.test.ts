import { expect, test } from 'vitest';
import { Episodes } from '../../src/alert/episodes.ts';
import { findingText, numberName, truncate, shortTemplate } from '../../src/alert/message.ts';
import type { Finding } from '../../src/detect/findings.ts';
import type { Verdict } from '../../src/detect/verdict.ts';
import { topTemplate, verdict } from './verdict.ts';
import { EPISODE_OPTIONS } from './episode-options.ts';

function messages(...verdicts: Partial<Verdict>[]): (string | undefined)[] {
  const episodes = new Episodes(EPISODE_OPTIONS);
  return verdicts.map((more, i) => episodes.observe(verdict({ windowId: 1_000 + i, ...more }))?.message);
}

test('a start says how loud, what is new, what is gone and what changed', () => {
  const [message] = messages({
    score: 3.42,
    newTemplates: ['connect ECONNREFUSED <*>'],
    topTemplates: [
      topTemplate({ template: 'connect ECONNREFUSED <*>', count: 12, usualCount: 0, share: 0.6 }),
      topTemplate({ share: 0.3 }),
      topTemplate({ template: 'checkout done', count: 0, usualCount: 7.5, share: 0.2 }),
      topTemplate({ template: 'pulls the other way', share: -0.1 }),
    ],
  });
  expect(message).toBe(
    'otlp:api-2 drifted: new: «connect ECONNREFUSED <*>» (12 times); «GET /product/<*>» fell from 120 to 3; ' +
      'gone, usually 7.5: «checkout done»; 3.4 sigma (critical above 3.0)',
  );
});

test('new templates that carry little of the change are still named', () => {
  const [message] = messages({ score: 2.5, newTemplates: ['a', 'b', 'c'], topTemplates: [topTemplate()] });
  expect(message).toContain('; also new: «a» and 2 more; ');
});

test('a score just above its threshold does not read as equal to it', () => {
  expect(messages({ score: 2.02 })[0]).toBe('otlp:api-2 drifted: 2.02 sigma (warning above 2.0)');
});

test('escalation and end read as such', () => {
  const [, update, , end] = messages({ score: 2.5 }, { score: 4.2 }, { score: 0.1 }, { score: 0.8 });
  expect(update).toBe('otlp:api-2 drifted further: 4.2 sigma (critical above 3.0)');
  expect(end).toBe('otlp:api-2 is back to normal after 3 min: 0.8 sigma (was critical, peak 4.2)');
});

test('a template with newlines and escapes stays one harmless line', () => {
  const [message] = messages({ score: 2.5, topTemplates: [topTemplate({ template: 'a\n\u001b[2Jb' })] });
  expect(message).not.toMatch(/[\u0000-\u001f]/);
});

test('truncation never cuts a character in half', () => {
  expect(truncate('😀'.repeat(10), 5)).toBe('😀😀😀😀…');
  expect(truncate('😀'.repeat(5), 5)).toBe('😀'.repeat(5));
  expect(truncate('abcdef', 6)).toBe('abcdef');
});

test('of a JSON line the message is shown, of another line the text behind its timestamp', () => {
  expect(shortTemplate('{"level":30,"time":<*>,"msg":"cache hit for product"}', 72)).toBe('cache hit for product');
  expect(shortTemplate('<*>-<*>-<*> <*>:<*> [<*>] connection refused', 72)).toBe('connection refused');
  expect(shortTemplate('<*> 12', 72)).toBe('<*> 12');
  expect(shortTemplate('<*> <*> [error] <*>: no live upstreams', 72)).toBe('[error] <*>: no live upstreams');
  expect(shortTemplate('<*> fe be/ng <*> 5xx <*> - - "GET /search HTTP/<*>"', 72)).toBe('5xx "GET /search HTTP/<*>"');
});

test('two templates of one JSON message are told apart by status and error', () => {
  expect(shortTemplate('{"path":"<*>","status":5xx,"ms":<*>,"msg":"request completed"}', 72)).toBe(
    'request completed 5xx',
  );
  expect(shortTemplate('{"level":50,"err":"connect ECONNREFUSED <*>","msg":"request failed"}', 72)).toBe(
    'request failed: connect ECONNREFUSED <*>',
  );
});

test('of a source that says less as a whole only what rose or is new is told beside', () => {
  const silence = { ...FINDING, channel: 'silence', about: 'records', template: null, templateId: null } as const;
  const gone = { ...FINDING, channel: 'rate', about: 'records', template: 'tick', now: 0, usual: 8 } as const;
  const topTemplates = [topTemplate({ share: 0.5 }), topTemplate({ template: 'giving up', count: 1, usualCount: 0 })];
  const [message] = messages({ score: 3.4, findings: [gone, { ...silence, now: 1, usual: 26 }], topTemplates });
  expect(message).toBe(
    'otlp:api-2 drifted: records fell from 26 to 1; «giving up» rose from 0 to 1; 3.4 sigma (critical above 3.0)',
  );
});

test('an episode that a gate ended names the gate, not the sigma of the gated window', () => {
  const [, , end] = messages({ score: 4.2 }, { score: 5, gates: ['recurrent'] }, { score: 5, gates: ['recurrent'] });
  expect(end).toBe('otlp:api-2 is back to normal after 2 min (now recurrent) (was critical, peak 4.2)');
});

const FINDING: Finding = {
  channel: 'values',
  nats: 6,
  about: 'numbers',
  templateId: '00112233aabbccdd',
  template: 'GET /product/<*> {"status":<*>,"durationMs":<*>}',
  placeholder: 3,
  now: 910.4,
  usual: 12,
};

test('what the channels heard comes first, each template once, as a person would say it', () => {
  const [message] = messages({
    score: 3.4,
    newTemplates: ['payment failed: <*>', 'retry <*>', 'giving up'],
    findings: [
      FINDING,
      {
        ...FINDING,
        channel: 'novelty',
        about: 'new error templates',
        template: 'payment failed: <*>',
        now: 3,
        usual: 0,
      },
      { ...FINDING, channel: 'rate', about: 'records', now: 240, usual: 20 },
    ],
    topTemplates: [
      topTemplate({ templateId: FINDING.templateId!, template: FINDING.template!, share: 0.7 }),
      topTemplate({ share: 0.04 }),
    ],
  });
  expect(message).toBe(
    'otlp:api-2 drifted: durationMs of «GET /product/<*> {"status":<*>,"durationMs":<*>}» rose from 12 to 910; ' +
      '3 error templates are new, most of «payment failed: <*>»; 3.4 sigma (critical above 3.0)',
  );
});

test.each<[Partial<Finding>, string]>([
  [{ about: 'new templates', now: 1, template: 'a b' }, 'new template: «a b»'],
  [{ about: 'errors', now: 14, usual: 0, template: 'timeout' }, 'errors rose from 0 to 14, most in «timeout»'],
  [{ about: 'warnings', now: 14, usual: 2.5, template: null }, 'warnings rose from 2.5 to 14'],
  [{ about: 'records', now: 0, usual: 240, template: null }, 'fell silent, usually 240 records'],
  [{ about: 'records', now: 20, usual: 240, template: null }, 'records fell from 240 to 20'],
  [{ about: 'records', now: 0, usual: 30, template: 'tick' }, 'gone, usually 30: «tick»'],
  [{ about: 'records', now: 9, usual: 9, template: 'tick' }, 'usual number at an unusual time: «tick»'],
  [
    { about: 'numbers', template: 'took <*> ms', placeholder: 1, now: 0.5, usual: 3 },
    'numbers of «took <*> ms» fell from 3 ms to 0.5 ms',
  ],
])('%j reads %s', (finding, text) => {
  expect(findingText({ ...FINDING, ...finding })).toBe(text);
});

test.each<[string, number, string | null, string]>([
  ['time=<*> size=<*>KB', 2, 'size', ' KB'],
  ['"elapsed": "<*>"', 1, 'elapsed', ''],
  ['took <*>ms for <*>', 1, null, ' ms'],
  ['took <*> seconds', 1, null, ' seconds'],
  ['<*> secondary', 1, null, ''],
  ['<*> <*>%', 2, null, ' %'],
  ['gone', 4, null, ''],
])('the numbers of %s, <*> %i, are called %s with unit "%s"', (template, placeholder, name, unit) => {
  expect(numberName(template, placeholder)).toEqual({ name, unit });
});

import { expect, test } from 'vitest';
import { Episodes } from '../../src/alert/episodes.ts';
import { truncate, shortTemplate } from '../../src/alert/message.ts';
import type { Verdict } from '../../src/detect/verdict.ts';
import { topTemplate, verdict } from './verdict.ts';

function messages(...verdicts: Partial<Verdict>[]): (string | undefined)[] {
  const episodes = new Episodes({ warningThreshold: 2, criticalThreshold: 3 });
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
    'otlp:api-2 drifted: 3.4 sigma (critical above 3.0); new: «connect ECONNREFUSED <*>» (12 times); ' +
      'usual 120, now 3: «GET /product/<*>»; gone, usually 7.5: «checkout done»',
  );
});

test('new templates that carry little of the change are still named', () => {
  const [message] = messages({ score: 2.5, newTemplates: ['a', 'b', 'c'], topTemplates: [topTemplate()] });
  expect(message).toMatch(/; also new: «a» and 2 more$/);
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
});

test('an episode that a gate ended names the gate, not the sigma of the gated window', () => {
  const [, , end] = messages({ score: 4.2 }, { score: 5, gates: ['recurrent'] }, { score: 5, gates: ['recurrent'] });
  expect(end).toBe('otlp:api-2 is back to normal after 2 min (now recurrent) (was critical, peak 4.2)');
});

import { expect, test } from 'vitest';
import { RecentDetails, type Reasons } from '../../src/detect/details.ts';
import { topTemplate } from '../alert/verdict.ts';

const reasons = (text: string): Reasons => ({ findings: [], topTemplates: [topTemplate({ template: text })] });

/** Feeds windows: `.` quiet, `w` above the warning threshold, `c` above the critical one. @returns ids of those whose reasons are remembered */
function remembered(windows: string, from = 100): number[] {
  const details = new RecentDetails();
  for (const [i, kind] of [...windows].entries()) {
    details.keep(from + i, []);
    if (kind !== '.') details.keepLoud(from + i, reasons(`${from + i}`), kind === 'c');
  }
  return [...windows].flatMap((_, i) => {
    const known = details.reasons(from + i);
    if (known !== null) expect(known.topTemplates[0]!.template).toBe(`${from + i}`);
    return known === null ? [] : [from + i];
  });
}

test('remembers the windows in which a loud time began or became critical, and the newest', () => {
  expect(remembered('..wwwccc..')).toEqual([102, 105]);
  expect(remembered('..ccwcc')).toEqual([102, 106]);
  expect(remembered('..ww.ww')).toEqual([102, 105, 106]);
  expect(remembered('....')).toEqual([]);
});

test('a long fault does not push out its own beginning; the four newest beginnings stay', () => {
  expect(remembered(`..w${'w'.repeat(50)}.`)).toEqual([102]);
  expect(remembered('w.w.w.w.w.w.')).toEqual([104, 106, 108, 110]);
});

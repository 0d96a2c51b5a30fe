import { readFileSync } from 'node:fs';

type Key = 'logIncompleteBeta' | 'incompleteGamma' | 'logStudentTail' | 'normalUpperQuantile' | 'stirlingError';

const FILE = new URL('../../testdata/special/reference.json', import.meta.url);

/** Rows of test/testdata/special/reference.json; its README says what is in them. */
export function reference(key: Key): number[][] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as Record<Key, number[][]>)[key];
}

/** Largest relative error of `actual` over the rows, against the number in column `expected`. */
export function worstError(rows: number[][], expected: number, actual: (row: number[]) => number): number {
  return Math.max(
    ...rows.map((row) => {
      const value = actual(row);
      const want = row[expected]!;
      // ln of a tail that is 1 in float64 is 0 on both sides.
      if (value === want) return 0;
      return Number.isFinite(value) ? Math.abs(value - want) / Math.abs(want) : Infinity;
    }),
  );
}

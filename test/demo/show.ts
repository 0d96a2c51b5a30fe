/** What the demo prints. */
import type { Anomaly } from '../../src/alert/anomaly.ts';
import { changes, truncate } from '../../src/alert/message.ts';
import { printable } from '../../src/telemetry/log.ts';
import { nameOf, type Outcome } from './outcome.ts';

export interface Screen {
  line(text: string): void;
  /** One line that updates itself on a terminal; elsewhere a line at every quarter. */
  progress(done: number, total: number, text: string): void;
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  let shown = false;
  let quarter = 0;
  const clear = (): void => {
    if (shown) out.write('\r\x1b[2K');
    shown = false;
  };
  return {
    line(text) {
      clear();
      out.write(`${text}\n`);
    },
    progress(done, total, text) {
      if (out.isTTY) {
        clear();
        out.write(text.slice(0, out.columns - 1));
        shown = true;
      } else if (Math.floor((4 * done) / total) > quarter) {
        quarter = Math.floor((4 * done) / total);
        out.write(`${text}\n`);
      }
    },
  };
}

const CHANGE_CHARACTERS = 100;

/** `09:22  file:nginx-error   warning   2.3 σ  new: «connect() failed (<*>: Connection refused) while connecting to upstream» (4 times)` */
export function anomalyText({ verdict, severity }: Anomaly): string {
  const [change = ''] = changes(verdict);
  const columns = [
    clock(verdict.windowEndMs),
    verdict.source.padEnd(18),
    severity.padEnd(8),
    `${sigma(verdict.score!).padStart(4)} σ`,
    printable(truncate(change, CHANGE_CHARACTERS)),
  ];
  return columns.join('  ').trimEnd();
}

export function faultTable({ faults, falseAlarms }: Outcome): string {
  return align(
    [
      ['FAULT', 'SOURCE', 'RESULT', 'AFTER', 'SIGMA', 'OTHER SOURCES'],
      ...faults.map(({ kind, source, startMs, found, own, others }) => {
        if (found === null) return [kind, source, 'missed', '', '', ''];
        const result = own ? 'found' : `found in ${nameOf(found.source)}`;
        const after = `${Math.round((found.timeMs - startMs) / 1000)} s`;
        return [kind, source, result, after, sigma(found.score), others.join(' ')];
      }),
      ...falseAlarms.map(({ source, timeMs, score }) => [
        '(none)',
        nameOf(source),
        `false alarm ${clock(timeMs)}`,
        '',
        sigma(score),
        '',
      ]),
    ],
    [3, 4],
  );
}

/** A row for each threshold. `(13.0)` is what as many alarms at random times would be expected to find. */
export function summaryTable(outcomes: ReadonlyMap<string, Outcome>): string {
  const rows = Array.from(outcomes, ([name, { faults, falseAlarms, quietHours, byChance }]) => [
    name,
    `${faults.filter((fault) => fault.found !== null).length} of ${faults.length}`,
    `(${byChance.found.toFixed(1)})`,
    `${faults.filter((fault) => fault.own).length} of ${faults.length}`,
    `(${byChance.own.toFixed(1)})`,
    String(falseAlarms.length),
    quietHours > 0 ? ((24 * falseAlarms.length) / quietHours).toFixed(1) : '-',
  ]);
  const head = ['ANOMALIES', 'FOUND', '(BY CHANCE)', 'IN OWN SOURCE', '(BY CHANCE)', 'FALSE', 'PER SOURCE AND DAY'];
  return align([head, ...rows], [1, 2, 3, 4, 5, 6]);
}

function align(rows: string[][], right: readonly number[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Hour and minute of log time, UTC. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

function sigma(score: number): string {
  return score.toFixed(1);
}

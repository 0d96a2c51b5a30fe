/** The table of `logdrift top`: pure, from what the admin API says to lines of text. */
import { styleText } from 'node:util';
import { HELD_BACK_TEXT } from '../alert/held-back-text.ts';
import { printable } from '../telemetry/log.ts';
import type { ShownSource } from './admin-client.ts';

export interface TableSize {
  /** Characters a line may have. */
  columns: number;
  /** Lines the table may have, head and the note of what is left out included. */
  rows: number;
}

const GAP = '  ';
const MIN_NAME_WIDTH = 20;
const MIN_STATE_WIDTH = 8;
const HEAD = ['SOURCE', 'STATE', 'SIGMA', 'RECORDS', 'TEMPLATES'] as const;

/**
 * What needs attention comes first: critical episodes, warnings, windows whose alarm is held back, then by score, and last what has none. Records and
 * templates are those of the newest window.
 */
export function sourceTable(sources: readonly ShownSource[], nowMs: number, { columns, rows }: TableSize): string[] {
  const sorted = sources.toSorted(
    (a, b) => attention(a) - attention(b) || scoreOf(b) - scoreOf(a) || (a.key < b.key ? -1 : 1),
  );
  const isCut = sorted.length > rows - 1;
  const shown = isCut ? sorted.slice(0, Math.max(0, rows - 2)) : sorted;

  const cells = shown.map((source) => cellsOf(source, nowMs));
  const [widestName, widestState, ...numberWidths] = HEAD.map((head, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]!.length), head.length),
  ) as [number, number, ...number[]];
  // Where it is narrow the state gives way first, then the name; numbers keep their columns.
  const left = columns - numberWidths.reduce((sum, width) => sum + GAP.length + width, GAP.length);
  const stateWidth = Math.min(widestState, Math.max(MIN_STATE_WIDTH, left - Math.min(widestName, MIN_NAME_WIDTH)));
  const nameWidth = Math.min(widestName, Math.max(MIN_NAME_WIDTH, left - stateWidth));
  const line = ([name, state, ...numbers]: Cells): string =>
    [fit(name, nameWidth), fit(state, stateWidth), ...numbers.map((text, i) => text.padStart(numberWidths[i]!))]
      .join(GAP)
      .slice(0, columns);

  const lines = [line([...HEAD])];
  for (const [i, source] of shown.entries()) lines.push(coloured(source, line(cells[i]!)));
  if (isCut) lines.push(`… and ${sorted.length - shown.length} more`.slice(0, columns));
  return lines.slice(0, rows);
}

type Cells = [name: string, state: string, score: string, records: string, templates: string];

function cellsOf(source: ShownSource, nowMs: number): Cells {
  const window = source.last_window;
  const score = window?.score ?? null;
  return [
    printable(source.key),
    printable(stateOf(source, nowMs)),
    score === null ? '–' : score.toFixed(1).replace(/^-(0\.0)$/, '$1'),
    String(window?.records ?? '–'),
    String(window?.templates ?? '–'),
  ];
}

function attention({ episode, alert_held_back: heldBack, last_window: window }: ShownSource): number {
  if (episode !== null) return episode.severity === 'critical' ? 0 : 1;
  if (heldBack !== null) return 2;
  return (window?.score ?? null) === null ? 4 : 3;
}

function scoreOf({ last_window: window }: ShownSource): number {
  return window?.score ?? -Infinity;
}

function stateOf({ episode, alert_held_back: heldBack, last_window: window }: ShownSource, nowMs: number): string {
  if (episode !== null) {
    const { severity, started_unix_ms: startedMs, peak_score: peak } = episode;
    return `${severity} for ${age(nowMs - startedMs)}, peak ${peak.toFixed(1)} σ`;
  }
  if (window === null) return 'first window not closed yet';
  if (window.gates.length > 0) return window.gates.join(', ');
  // A newer service may know more reasons.
  if (heldBack !== null) {
    return Object.hasOwn(HELD_BACK_TEXT, heldBack) ? HELD_BACK_TEXT[heldBack as keyof typeof HELD_BACK_TEXT] : heldBack;
  }
  return window.score === null ? 'learning' : 'normal';
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} days`;
}

/** Padded, or cut with an ellipsis. */
function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, width - 1)}…`;
}

/** Only on a terminal, and not where NO_COLOR is set: styleText looks. */
function coloured({ episode }: ShownSource, line: string): string {
  if (episode === null) return line;
  return styleText(episode.severity === 'critical' ? 'red' : 'yellow', line);
}

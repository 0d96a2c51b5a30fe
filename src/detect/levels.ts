/** OTLP's ranges of severity numbers (OpenTelemetry logs data model, "Field: SeverityNumber"): four numbers a level. */
export const LEVEL_NAMES = ['UNSPECIFIED', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LevelName = (typeof LEVEL_NAMES)[number];

/** Records by {@link LEVEL_NAMES}. */
export type Levels = readonly number[];

export const NO_LEVELS: Levels = LEVEL_NAMES.map(() => 0);

/** Index of a severity number's level: 1 to 4 are TRACE, 21 to 24 FATAL; 0, and what is no severity number, is unspecified. */
export function levelOf(severityNumber: number): number {
  return severityNumber >= 1 && severityNumber <= 24 ? (severityNumber + 3) >> 2 : 0;
}

export function addLevels(a: Levels, b: Levels): Levels {
  return a.map((count, level) => count + b[level]!);
}

/** Only the levels that occurred, by name: `{"INFO": 12, "ERROR": 1}`. */
export function namedLevels(levels: Levels): Partial<Record<LevelName, number>> {
  return Object.fromEntries(LEVEL_NAMES.flatMap((name, level) => (levels[level]! > 0 ? [[name, levels[level]!]] : [])));
}

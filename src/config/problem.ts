/** A place in the configuration's text: `file.yaml:3:15`, or `--set a.b=c`. */
export interface Place {
  label: string;
  /** Problems are listed in this order: the file from its top, then every `--set`. */
  order: number;
}

/** One thing wrong with the configuration. */
export interface Problem {
  place: Place;
  /** `a.b.c`; empty when it is about the text as such. */
  path: string;
  /** `what is wrong – what to do` */
  text: string;
}

const SHOWN_AT_MOST = 50;

/** The configuration cannot be used. `message` holds every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'LOGDRIFT_CONFIG_INVALID';
  /** `place: path: what is wrong (value) – what to do` */
  readonly problems: readonly string[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    const lines = problems.toSorted((a, b) => a.place.order - b.place.order).map(formatProblem);
    const shown = lines.slice(0, SHOWN_AT_MOST);
    if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more`);
    super(shown.join('\n'), options);
    this.problems = lines;
  }
}

function formatProblem({ place, path, text }: Problem): string {
  return path === '' ? `${place.label}: ${text}` : `${place.label}: ${path}: ${text}`;
}

/** Puts the value into `what – what to do`: `what (value) – what to do`. */
export function withValue(message: string, value: string | null): string {
  if (value === null) return message;
  const [what, ...todo] = message.split(' – ');
  return [`${what} (${value})`, ...todo].join(' – ');
}

/** Shortens a value for a problem line and hides the `user:password@` of a URL. */
export function maskCredentials(value: string): string {
  const masked = value.replaceAll(/\/\/[^/@\s]*@/g, '//***@');
  return masked.length > 60 ? `${masked.slice(0, 60)}…` : masked;
}

/** What went wrong with a connection. "Refused" on both address families comes as an AggregateError with an empty message, and only a code. */
export function connectionErrorText(error: unknown): string {
  const { message, code, name } = error as NodeJS.ErrnoException;
  return message || code || name || String(error);
}

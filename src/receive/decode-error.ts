/** The request is not what its content type promises. `byteOffset` is -1 where the position is not known. */
export class DecodeError extends Error {
  readonly code = 'LOGDRIFT_OTLP_MALFORMED';
  /** Field names from the request down, as in `resource_logs.scope_logs`. */
  readonly fieldPath: string;
  readonly byteOffset: number;
  /** The message without its place. */
  readonly problem: string;

  constructor(problem: string, fieldPath: string, byteOffset: number, options?: ErrorOptions) {
    const where = byteOffset < 0 ? '' : ` at byte ${byteOffset}`;
    super(`malformed ExportLogsServiceRequest: ${problem}${where} in ${fieldPath || 'the request'}`, options);
    this.name = 'DecodeError';
    this.fieldPath = fieldPath;
    this.byteOffset = byteOffset;
    this.problem = problem;
  }
}

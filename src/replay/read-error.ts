export type InputErrorCode =
  | 'LOGDRIFT_INPUT_NOT_FOUND'
  | 'LOGDRIFT_INPUT_DIRECTORY'
  | 'LOGDRIFT_INPUT_UNREADABLE'
  | 'LOGDRIFT_INPUT_TWICE'
  | 'LOGDRIFT_INPUT_NOT_UTF8'
  | 'LOGDRIFT_INPUT_NOT_LOGS'
  | 'LOGDRIFT_INPUT_DAMAGED'
  | 'LOGDRIFT_INPUT_LINE_TOO_LONG'
  | 'LOGDRIFT_INPUT_MALFORMED'
  | 'LOGDRIFT_INPUT_LABELS'
  | 'LOGDRIFT_INPUT_NO_TIME'
  | 'LOGDRIFT_INPUT_TIMEZONE'
  | 'LOGDRIFT_OUTPUT_UNWRITABLE';

/** An input (or output) file of `replay` that cannot be used; the message names the file and what to do. */
export class InputError extends Error {
  override name = 'InputError';
  readonly code: InputErrorCode;

  constructor(code: InputErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

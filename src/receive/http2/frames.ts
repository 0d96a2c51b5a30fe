/** HTTP/2 frames (RFC 9113, sections 4, 6 and 7): names of their numbers, and writing them. */

/** What a client sends first (section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const HEAD_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE that holds unless one side says another: we do not, and write no larger ones. */
export const MAX_FRAME_BYTES = 16_384;
export const MAX_WINDOW_BYTES = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;
/** Of a connection always, of a stream until SETTINGS say another. */
export const DEFAULT_WINDOW_BYTES = 65_535;

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const SETTING = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const CODE = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** Ends the connection: GOAWAY with `code`. */
export class Http2Error extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'Http2Error';
    this.code = code;
  }
}

export function protocolError(what: string): Http2Error {
  return new Http2Error(CODE.protocolError, what);
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

export function settings(values: readonly (readonly [setting: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  for (const [i, [setting, value]] of values.entries()) {
    payload.writeUInt16BE(setting, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  }
  return frame(FRAME.settings, 0, 0, payload);
}

/** RST_STREAM and WINDOW_UPDATE: one number. */
export function numberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, streamId, payload);
}

export function goaway(lastStreamId: number, code: number, message: string): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  payload.writeUInt32BE(code, 4);
  return frame(FRAME.goaway, 0, 0, Buffer.concat([payload, Buffer.from(message)]));
}

export function requireConnection(id: number): void {
  if (id !== 0) throw protocolError('a frame of the connection names a stream');
}

export function requireLength(payload: Buffer, bytes: number): void {
  if (payload.length !== bytes) throw new Http2Error(CODE.frameSizeError, `a frame has ${payload.length} bytes`);
}

export function requireWindow(bytes: number): void {
  if (bytes > MAX_WINDOW_BYTES) throw new Http2Error(CODE.flowControlError, `a window of ${bytes} bytes`);
}

/**
 * What SETTINGS say of the window of new streams, null = nothing; of the others only their legality matters to us.
 * @throws {Http2Error}
 */
export function readInitialWindow(payload: Buffer): number | null {
  if (payload.length % 6 !== 0) throw new Http2Error(CODE.frameSizeError, 'SETTINGS are cut off');
  let window: number | null = null;
  for (let at = 0; at < payload.length; at += 6) {
    const setting = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (setting === SETTING.initialWindowSize) requireWindow((window = value));
    if (setting === SETTING.enablePush && value > 1) throw protocolError('SETTINGS_ENABLE_PUSH is 0 or 1');
    if (setting === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > 0xff_ffff)) {
      throw protocolError(`SETTINGS_MAX_FRAME_SIZE of ${value}`);
    }
  }
  return window;
}

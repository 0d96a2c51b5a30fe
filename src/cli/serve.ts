import type { Config } from '../config/config.ts';
import { startService } from '../service.ts';
import { createLog } from '../telemetry/log.ts';

/** From the first signal to exit; what is not done by then is given up. */
const GRACE_MS = 9_000;

/** Runs the service until SIGTERM or SIGINT. @returns the exit code */
export async function serve(config: Config): Promise<number> {
  const log = createLog();
  const stop = Promise.withResolvers<number>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (++signals > 1) process.exit(1);
    log.info('logdrift is stopping; a second signal stops at once', { signal });
    stop.resolve(0);
  };
  // Before the start: as a container's first process we would not even hear a signal that nobody listens to.
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    const service = await startService({
      config,
      log,
      onFatal: (error) => {
        log.error('logdrift cannot go on', { error: error.stack ?? error.message });
        stop.resolve(1);
      },
    });
    const code = await stop.promise;
    const overdue = setTimeout(() => {
      log.error('logdrift did not stop in time; it leaves now', { grace_ms: GRACE_MS });
      process.exit(1);
    }, GRACE_MS + 500);
    overdue.unref();
    await service.close(GRACE_MS);
    clearTimeout(overdue);
    return code;
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}

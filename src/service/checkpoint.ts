import { detectorsIn, type Config } from '../config/config.ts';
import { STATE_VERSION } from '../detect/persist.ts';
import { openStore, type Store } from '../store/checkpoint.ts';
import type { Log } from '../telemetry/log.ts';

/** The store of `storage.directory`, null without one. What it holds is used only when it was made under the same settings. */
export async function openCheckpoint(config: Config, embedder: string, log: Log): Promise<Store | null> {
  if (config.storage.directory === null) return null;
  const { windowSizeMs, windowStepMs, dmdWindows, dmdTimeDelay, dmdRank, snapshot } = config.driftDetection;
  const { store, cold } = await openStore({
    directory: config.storage.directory,
    fingerprint: {
      schema: String(STATE_VERSION),
      embedder,
      parameters: JSON.stringify({
        ...{ windowSizeMs, windowStepMs, dmdWindows, dmdTimeDelay, dmdRank, snapshot },
        detectors: detectorsIn(config.detectors).map((name) => [name, config.detectors[name]]),
      }),
    },
  });
  if (cold !== null) log.warn(cold);
  return store;
}

import { Acceptance } from './acceptance.ts';
import { Calibration } from './calibration.ts';
import { newCalibrations } from './channel-scorer.ts';
import { CHANNELS } from './channels.ts';

/** JSON-safe. */
export interface SavedChannels {
  /** By {@link CHANNELS}. */
  calibrations: string[];
  acceptance: number;
}

/** What the channels of one source have learnt beside its history. */
export class ChannelState {
  readonly calibrations: readonly Calibration[];
  readonly acceptance: Acceptance;

  constructor(calibrations: readonly Calibration[] = newCalibrations(), acceptance = new Acceptance()) {
    this.calibrations = calibrations;
    this.acceptance = acceptance;
  }

  /** The embedding space changed: errors of another space are of another size. */
  forgetErrors(): void {
    this.calibrations[CHANNELS.indexOf('dmd')]!.clear();
  }

  /** Of the rings. */
  get byteLength(): number {
    return this.calibrations.reduce((sum, calibration) => sum + calibration.byteLength, 0);
  }

  save(): SavedChannels {
    return {
      calibrations: this.calibrations.map((calibration) => calibration.save()),
      acceptance: this.acceptance.save(),
    };
  }

  /** @throws RangeError if `saved` cannot have come from {@link save} (a damaged store) */
  static restore(saved: SavedChannels): ChannelState {
    if (!Array.isArray(saved.calibrations) || saved.calibrations.length !== CHANNELS.length) {
      throw new RangeError(`stored channels must have ${CHANNELS.length} calibrations`);
    }
    return new ChannelState(
      saved.calibrations.map((values) => Calibration.restore(values)),
      new Acceptance(saved.acceptance),
    );
  }
}

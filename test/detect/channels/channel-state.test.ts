import { expect, test } from 'vitest';
import { ChannelState, type SavedChannels } from '../../../src/detect/channels/channel-state.ts';
import { CHANNELS } from '../../../src/detect/channels/channels.ts';

function learnt(): ChannelState {
  const state = new ChannelState();
  for (const [c, calibration] of state.calibrations.entries()) for (let k = 0; k <= c; k++) calibration.accept(k / 7);
  for (const score of [0, null, 9, 9]) state.acceptance.offer(score);
  return state;
}

test('comes back from JSON as it was', () => {
  const saved = learnt().save();
  const back = ChannelState.restore(JSON.parse(JSON.stringify(saved)) as SavedChannels);
  expect(back.save()).toEqual(saved);
  expect(back.acceptance.save()).toBe(2);
});

test('another embedding space makes it forget the errors of dmd and nothing else', () => {
  const state = learnt();
  const before = state.calibrations.map((calibration) => calibration.size);
  state.forgetErrors();
  const dmd = CHANNELS.indexOf('dmd');
  expect(state.calibrations.map((calibration) => calibration.size)).toEqual(before.with(dmd, 0));
});

test.each<[string, (saved: SavedChannels) => unknown]>([
  ['a channel too few', (saved) => ({ ...saved, calibrations: saved.calibrations.slice(1) })],
  ['no calibrations', () => ({ acceptance: 0 })],
  [
    'a negative value',
    (saved) => ({
      ...saved,
      calibrations: saved.calibrations.with(2, Buffer.from(Float64Array.of(-1).buffer).toString('base64')),
    }),
  ],
  ['another acceptance', (saved) => ({ ...saved, acceptance: 'yes' })],
])('%s cannot have come from the store', (_, damage) => {
  expect(() => ChannelState.restore(damage(learnt().save()) as SavedChannels)).toThrow(RangeError);
});

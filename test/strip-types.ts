/**
 * For every Node that runs our `.ts` files in several threads. Node strips types with a WebAssembly module that its threads share, and V8 13.6
 * can crash when one of them recompiles a wrapper of it (docs/decisions/0012-type-stripping.md). `dist` has no types and needs no flag.
 */
export const STRIP_TYPES_SAFELY = ['--wasm-wrapper-tiering-budget=1000000000'];

export const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e4e8ef); --quiet: light-dark(#5d6778, #97a1b3); --paper: light-dark(#fbfbfc, #14181f);
  --card: light-dark(#fff, #1b212b); --line: light-dark(#dfe3ea, #2d3542); --accent: light-dark(#2563a8, #7ab3ee);
  --warning: light-dark(#a15c00, #f0b04a); --critical: light-dark(#b42318, #ff8076); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; align-items: baseline; gap: 1rem; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
h3 { font-size: .9rem; margin: 1rem 0 .25rem; }
p { margin: 0; }
#status, .quiet, time, th { color: var(--quiet); }
section, form { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin-top: 1rem; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 500; font-size: .85rem; }
td, th { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 180px; height: 32px; }
polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
svg line { stroke: var(--line); vector-effect: non-scaling-stroke; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-bottom: 1px solid var(--line); padding: .5rem 0; }
td { vertical-align: top; } .templates .number, .levels { white-space: nowrap; } #sources td { vertical-align: middle; }
.detail { margin-top: .15rem; padding-left: 1rem; color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; }
code { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem; cursor: pointer; }
.link { border: 0; padding: 0; text-align: left; color: var(--accent); overflow-wrap: anywhere; }
.link:hover { text-decoration: underline; }
.badge { font-size: .8rem; padding: 0 .45rem; border: 1px solid currentColor; border-radius: 99px; margin-right: .4rem; }
.warning { color: var(--warning); } .critical { color: var(--critical); }
dialog { width: min(60rem, 94vw); max-height: 90vh; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); }
.bars { min-width: 10rem; } .bar { height: .5rem; border-radius: 2px; background: var(--accent); }
dialog::backdrop { background: rgb(0 0 0 / .4); }
#explain-close { float: right; }
`;

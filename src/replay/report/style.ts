export const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e4e8ef); --quiet: light-dark(#5d6778, #97a1b3); --paper: light-dark(#f6f7f9, #14181f);
  --card: light-dark(#fff, #1b212b); --line: light-dark(#dfe3ea, #2d3542); --accent: light-dark(#2563a8, #7ab3ee);
  --warning: light-dark(#b26a00, #f0b04a); --critical: light-dark(#b42318, #ff8076); --good: light-dark(#1f7a4d, #5fc893); --fault: light-dark(#6b4fbb, #a993f0); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
p { margin: .2rem 0; }
.quiet, th { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin-top: 1rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin-top: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-bottom: .5rem; align-items: center; }
.key { display: inline-block; width: 1.4rem; height: .7rem; margin-right: .35rem; border-radius: 2px; vertical-align: -1px; }
.key.line { height: 0; border-top: 2px solid var(--accent); vertical-align: 4px; }
.key.warning { background: var(--warning); } .key.critical { background: var(--critical); } .key.own { background: var(--fault); opacity: .35; } .key.touched { background: var(--fault); opacity: .12; }
.row { display: grid; grid-template-columns: 13rem 1fr; gap: .75rem; align-items: center; border-top: 1px solid var(--line); }
.row.head { border: 0; }
.name { overflow-wrap: anywhere; font-size: .85rem; line-height: 1.25; padding: .2rem 0; }
svg { display: block; width: 100%; overflow: visible; }
svg.plot { height: 58px; overflow: hidden; cursor: crosshair; background: light-dark(#fafbfc, #171c24); }
svg.faults { height: 20px; }
svg.axis { height: 18px; }
text { fill: var(--quiet); font-size: 11px; }
.plot line, .plot path, .plot rect { vector-effect: non-scaling-stroke; }
.band.warning { fill: var(--warning); opacity: .16; } .band.critical { fill: var(--critical); opacity: .1; }
rect.own, rect.touched { fill: var(--fault); stroke: var(--fault); stroke-width: 1; }
rect.own { opacity: .35; } rect.touched { opacity: .1; }
.zero { stroke: var(--line); }
.score { fill: none; stroke: var(--accent); stroke-width: 1.2; stroke-linejoin: round; stroke-linecap: round; }
.episode { stroke-width: 6; stroke-linecap: square; cursor: pointer; }
.episode.warning { stroke: var(--warning); } .episode.critical { stroke: var(--critical); }
.mark { cursor: pointer; } .mark circle { stroke-width: 1.5; } .mark text { text-anchor: middle; font-size: 10px; }
.mark.found circle { fill: var(--good); stroke: var(--good); } .mark.found text { fill: var(--card); }
.mark.elsewhere circle { fill: var(--card); stroke: var(--good); stroke-dasharray: 3 2; } .mark.missed circle { fill: var(--card); stroke: var(--critical); }
.hidden { display: none; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th { text-align: left; font-weight: 500; }
td, th { padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tbody tr[data-fault] { cursor: pointer; } tbody tr[data-fault]:hover { background: light-dark(#f0f4fa, #222a36); }
.whole { white-space: nowrap; }
.scroll { max-height: 26rem; overflow: auto; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)); gap: 1.5rem; }
.found { color: var(--good); } .elsewhere { color: var(--quiet); } .missed { color: var(--critical); }
.warning { color: var(--warning); } .critical { color: var(--critical); }
.badge { font-size: .78rem; padding: 0 .45rem; border: 1px solid currentColor; border-radius: 99px; white-space: nowrap; }
.sweep { max-width: 40rem; } .sweep path { fill: none; stroke-width: 2; } .sweep .grid { stroke: var(--line); }
.sweep .own { stroke: var(--accent); } .sweep .any { stroke: var(--accent); opacity: .4; stroke-dasharray: 5 4; } .sweep .chance { stroke: var(--quiet); stroke-dasharray: 2 3; }
.sweep circle { fill: var(--accent); } .middle { text-anchor: middle; } .end { text-anchor: end; }
details { border-bottom: 1px solid var(--line); padding: .35rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
.detail { padding: .3rem 0 .4rem 1rem; }
code { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.nats { display: grid; grid-template-columns: 5.5rem 10rem 3rem; gap: 0 .5rem; align-items: center; font-size: .85rem; margin: .4rem 0; }
meter { width: 10rem; } meter::-webkit-meter-optimum-value { background: var(--accent); } meter::-moz-meter-bar { background: var(--accent); }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .1rem .6rem; cursor: pointer; }
#tip { position: fixed; pointer-events: none; z-index: 2; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .5rem; font-size: .85rem; max-width: 26rem; box-shadow: 0 2px 10px rgb(0 0 0 / .2); white-space: pre-line; overflow-wrap: anywhere; }
#panel { position: fixed; right: 1rem; bottom: 1rem; z-index: 3; width: min(38rem, 92vw); max-height: 60vh; overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; box-shadow: 0 4px 24px rgb(0 0 0 / .3); }
#panel > button { float: right; } #cursor { position: fixed; width: 1px; background: var(--quiet); pointer-events: none; z-index: 1; } #brush { position: fixed; background: var(--accent); opacity: .2; pointer-events: none; z-index: 1; }
[hidden] { display: none !important; }
@media (max-width: 45rem) { .row { grid-template-columns: 1fr; gap: 0; } }
`;

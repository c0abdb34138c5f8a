// What surrounds the contents of a report: style and script, so that the page needs nothing else.
#ifndef WAYMARK_REPLAY_TOOL_REPORT_PAGE_H_
#define WAYMARK_REPLAY_TOOL_REPORT_PAGE_H_

#include <string_view>

namespace waymark::replay {

inline constexpr std::string_view kReportStyle = R"css(
:root{--bg:#fff;--fg:#222;--soft:#666;--panel:#f6f7f4;--line:#dcdcd6;--raw:#c9302c;--est:#1f5fbf;
--r68:#7aa6e8;--stay:#e8a317;--fence:#2e8b57;--adj:#b8860b;--prov:#8a5fbf}
@media(prefers-color-scheme:dark){:root{--bg:#181a1b;--fg:#ddd;--soft:#999;--panel:#22252a;
--line:#3c4046;--raw:#ff6b66;--est:#6ea8ff;--r68:#3f6299;--fence:#5cc98a}}
body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1080px;padding:0 1em;
color:var(--fg);background:var(--bg)}
h1{font-size:1.5em}h2{font-size:1.15em;word-break:break-all}h3{font-size:1em;margin:1.4em 0 .4em}
svg{width:100%;height:auto;display:block}
svg text{font-size:12px;fill:var(--soft)}
svg path{fill:none;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
.map{background:var(--panel);border:1px solid var(--line);cursor:grab;touch-action:none}
.raw{stroke:var(--raw);stroke-width:1;opacity:.7}.estimated{stroke:var(--est);stroke-width:2}
.r95{stroke:var(--est);stroke-width:1.5}.r68{stroke:var(--r68);stroke-width:1.5}
.dots{stroke-width:3}
.fence .area{fill:var(--fence);fill-opacity:.15;stroke:var(--fence);stroke-width:1.5;
fill-rule:evenodd;vector-effect:non-scaling-stroke}
.fence .corridor{stroke:var(--fence);stroke-opacity:.25;vector-effect:none}
.fence text{fill:var(--fence)}
.mark path{stroke:var(--fg);stroke-width:1.5}.stored path{stroke-width:4}
.mark.rejected path{stroke:var(--raw)}.stay path{stroke:var(--stay);stroke-width:12;opacity:.8}
.enter path,.begin path{fill:var(--fence);stroke:var(--bg)}
.exit path,.end path{fill:var(--raw);stroke:var(--bg)}
.cursor path{stroke:var(--est);stroke-width:12}
.scale{stroke:var(--fg);stroke-width:2}.grid{stroke:var(--line);stroke-width:1}
.gap{fill:var(--soft);opacity:.18}.hair{stroke:var(--soft);stroke-width:1}
.tick{stroke-width:1.5}.tick.adjusted{stroke:var(--adj)}.tick.provisional{stroke:var(--prov)}
.tick.rejected{stroke:var(--raw)}
figure{margin:.6em 0}figcaption,.legend{font-size:13px;color:var(--soft)}
.legend label{margin-right:1em;white-space:nowrap}
.k{display:inline-block;width:14px;height:4px;margin:0 .3em .2em 1em;background:currentColor}
i.k.raw,i.k.rejected,i.k.exit{background:var(--raw)}i.k.estimated,i.k.r95{background:var(--est)}
i.k.r68{background:var(--r68)}i.k.stay{background:var(--stay)}
i.k.fence,i.k.enter{background:var(--fence)}i.k.stored{background:var(--fg)}
table{border-collapse:collapse;width:100%;font-size:13px}
td,th{border-bottom:1px solid var(--line);padding:.25em .5em;text-align:left;
font-variant-numeric:tabular-nums}
.scroll{max-height:24em;overflow:auto}
pre{background:var(--panel);padding:.8em;overflow:auto;font-size:13px}
.warning{color:var(--adj)}.note{font-size:12px;color:var(--soft);margin:0}
)css";

// The map is moved by dragging and zoomed by the wheel; a double click shows all again. Pointing at
// a chart marks the place on the map and says the numbers. Without a script all is still there.
inline constexpr std::string_view kReportScript = R"js(
document.querySelectorAll('section').forEach(section => {
  const map = section.querySelector('svg.map');
  const whole = map.viewBox.baseVal, home = [whole.x, whole.y, whole.width, whole.height];
  let box = home.slice();
  const marks = [...map.querySelectorAll('.mark')];
  const places = marks.map(m => m.getAttribute('transform') || '');
  const show = () => {
    map.setAttribute('viewBox', box.join(' '));
    const k = box[2] / home[2];
    marks.forEach((m, i) => m.setAttribute('transform', places[i] + ` scale(${k})`));
    map.querySelectorAll('text').forEach(t => t.style.fontSize = 12 * k + 'px');
  };
  const at = e => {
    const r = map.getBoundingClientRect();
    return [box[0] + (e.clientX - r.left) / r.width * box[2],
            box[1] + (e.clientY - r.top) / r.height * box[3]];
  };
  map.addEventListener('wheel', e => {
    e.preventDefault();
    const [x, y] = at(e), k = Math.exp(Math.max(-0.5, Math.min(0.5, e.deltaY * 0.002)));
    if (box[2] * k > home[2] * 8 || box[2] * k < home[2] / 1e5) return;
    box = [x - (x - box[0]) * k, y - (y - box[1]) * k, box[2] * k, box[3] * k];
    show();
  }, {passive: false});
  let from = null;
  map.addEventListener('pointerdown', e => { from = at(e); map.setPointerCapture(e.pointerId); });
  map.addEventListener('pointerup', () => { from = null; });
  map.addEventListener('pointermove', e => {
    if (!from) return;
    const to = at(e);
    box[0] += from[0] - to[0];
    box[1] += from[1] - to[1];
    show();
  });
  map.addEventListener('dblclick', () => { box = home.slice(); show(); });
  section.querySelectorAll('.legend input').forEach(input => input.addEventListener('change', () =>
    map.querySelectorAll('.' + input.value).forEach(
      x => x.style.display = input.checked ? '' : 'none')));

  const data = JSON.parse(section.querySelector('script.samples').textContent);
  const cursor = map.querySelector('.cursor'), readout = section.querySelector('.readout');
  const charts = [...section.querySelectorAll('svg.chart')];
  const hairs = charts.map(chart => {
    const hair = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    hair.setAttribute('class', 'hair');
    chart.append(hair);
    return hair;
  });
  charts.forEach(chart => chart.addEventListener('pointermove', e => {
    const r = chart.getBoundingClientRect();
    const x = (e.clientX - r.left) / r.width * data.width;
    const t = (x - data.left) / (data.right - data.left) * data.span;
    let low = 0, high = data.samples.length - 1;
    if (high < 0) return;
    while (low < high) {
      const middle = (low + high) >> 1;
      data.samples[middle][0] < t ? low = middle + 1 : high = middle;
    }
    const [s, mx, my, r68, r95, speed] = data.samples[low];
    const hx = data.left + s / data.span * (data.right - data.left);
    hairs.forEach(hair => hair.setAttribute('d', `M${hx} 0V400`));
    places[marks.indexOf(cursor)] = `translate(${mx} ${my})`;
    cursor.setAttribute('visibility', 'visible');
    show();
    readout.textContent = new Date(data.begin + s * 1000).toISOString() +
      `  r68 ${r68} m, r95 ${r95} m, ${speed} m/s`;
  }));
});
)js";

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPORT_PAGE_H_

// Draws the maps and charts of the planner's pages from the figures that each page carries as JSON.
// Colours come from the house's style, so that light and dark both work; text is drawn, not marked up, so that the
// content security policy needs no exception.

const echarts = window.echarts;
const outlineAddress = document.getElementById("charts").dataset.outline;
const SHAPES = { good: "circle", calm: "circle", warn: "triangle", bad: "diamond" };
const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
let outline;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function text() {
  return { color: colour("--pico-color"), fontFamily: getComputedStyle(document.body).fontFamily };
}

function tooltip(formatter) {
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: colour("--pico-card-background-color") || colour("--pico-background-color"),
    borderColor: colour("--pico-muted-border-color"),
    textStyle: { ...text(), fontSize: 13 },
    formatter,
  };
}

// The outline helps where it lies under the nodes; a network elsewhere is drawn without one, on its own frame.
async function register(points) {
  if (!outline) outline = await (await fetch(outlineAddress)).json();
  const frame = bounds(points);
  const known = points.some(([x, y]) => x > -10 && x < 4.6 && y > 35.5 && y < 44);
  const features = known ? [...outline.features] : [];
  features.push({ type: "Feature", properties: { name: "frame" }, geometry: { type: "Polygon", coordinates: [frame] } });
  echarts.registerMap("network", { type: "FeatureCollection", features });
  return known;
}

function bounds(points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const margin = 0.5;
  const [west, east] = [Math.min(...xs) - margin, Math.max(...xs) + margin];
  const [south, north] = [Math.min(...ys) - margin, Math.max(...ys) + margin];
  return [[west, south], [east, south], [east, north], [west, north], [west, south]];
}

async function map(figures) {
  const points = figures.nodes.map((node) => node.at);
  if (!points.length) return {};
  await register(points);
  const tones = { good: colour("--good"), warn: colour("--warn"), bad: colour("--bad"), calm: colour("--calm") };
  return {
    animation: !calm,
    tooltip: tooltip((point) => [point.data.name, ...point.data.lines].join("\n")),
    geo: {
      map: "network",
      roam: true,
      scaleLimit: { min: 1, max: 12 },
      aspectScale: 0.77,
      top: 12, bottom: 12, left: 12, right: 12,
      silent: true,
      itemStyle: { areaColor: colour("--calm-ground"), borderColor: colour("--pico-muted-border-color") },
      regions: [{ name: "frame", itemStyle: { areaColor: "transparent", borderColor: "transparent" } }],
    },
    series: [
      {
        type: "lines",
        coordinateSystem: "geo",
        symbol: ["none", "arrow"],
        symbolSize: 8,
        data: figures.flows.map((flow) => ({
          coords: [flow.from, flow.to],
          name: flow.label,
          lines: flow.lines,
          lineStyle: { width: flow.width, color: colour("--pico-primary"), opacity: 0.65, curveness: 0.2 },
        })),
      },
      {
        type: "scatter",
        coordinateSystem: "geo",
        data: figures.nodes.map((node) => ({
          name: node.name,
          value: node.at,
          lines: node.lines,
          address: node.address,
          symbol: SHAPES[node.tone] || "circle",
          symbolSize: node.size,
          itemStyle: { color: tones[node.tone], opacity: 0.85, borderColor: colour("--pico-background-color"), borderWidth: 1 },
        })),
      },
    ],
  };
}

function terms(figures) {
  const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: figures.currency });
  const short = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 0 });
  const axis = { axisLine: { show: false }, axisTick: { show: false }, axisLabel: text() };
  const bars = (name, key, fill) => ({
    name, type: "bar", barGap: "10%", itemStyle: { color: fill },
    data: figures.terms.map((term) => term[key]),
  });
  return {
    animation: !calm,
    tooltip: { ...tooltip(), trigger: "axis", valueFormatter: (value) => money.format(value), formatter: undefined },
    legend: { top: 0, right: 0, textStyle: text() },
    grid: { left: 8, right: 16, top: 28, bottom: 4, containLabel: true },
    xAxis: {
      ...axis, type: "value", splitLine: { lineStyle: { color: colour("--pico-muted-border-color") } },
      axisLabel: { ...text(), formatter: (value) => short.format(value) },
    },
    yAxis: { ...axis, type: "category", inverse: true, data: figures.terms.map((term) => term.word) },
    series: [bars(figures.before, "before", colour("--calm")), bars(figures.after, "after", colour("--pico-primary"))],
  };
}

const KINDS = { map, terms };

async function draw(element) {
  const figures = JSON.parse(document.getElementById(element.dataset.figures).textContent);
  const options = await KINDS[element.dataset.chart](figures);
  const chart = echarts.getInstanceByDom(element) || echarts.init(element, null, { renderer: "canvas" });
  chart.setOption(options, true);
  chart.off("click");
  chart.on("click", (point) => { if (point.data.address) window.location.href = point.data.address; });
  new ResizeObserver(() => chart.resize()).observe(element);
  element.dataset.drawn = "yes";
}

function drawAll(all) {
  document.querySelectorAll(all ? "[data-chart]" : "[data-chart]:not([data-drawn])").forEach(draw);
}

drawAll(false);
dark.addEventListener("change", () => drawAll(true));
document.body.addEventListener("htmx:afterSettle", () => drawAll(false));

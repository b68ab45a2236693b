// Draws the report's charts from the answers that stand in the file, by the page's own code. Without it everything can
// be read in the tables.

import { Flow, HeatMap, TimeLine } from "./diagrams.js";
import { Series } from "./series.js";

const CHARTS = { timeseries: Series, heatmap: HeatMap, flow: Flow, timeline: TimeLine };
const { panels, incidents } = JSON.parse(document.getElementById("answers").textContent);

/** The chart stays as it is drawn, and shrinks with the paper. */
function still(view) {
  const { plot } = view;
  const draw = plot.draw.bind(plot);
  plot.draw = async (traces, plan) => {
    await draw(traces, { ...plan, dragmode: false });
    const { clientWidth: width, clientHeight: height } = plot.element;
    for (const picture of plot.element.querySelectorAll("svg.main-svg")) picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.element.style.setProperty("--shape", `${width} / ${height}`);
  };
}

async function drawAll() {
  for (const { id, definition, answer } of panels) {
    if (!(definition.kind in CHARTS) || !answer.rows.length) continue;
    const article = document.getElementById(id);
    const place = article.querySelector(".view");
    place.hidden = false;
    try {
      const view = new CHARTS[definition.kind](place, definition, { incidents: () => incidents });
      still(view);
      await view.update(answer);
      article.dataset.drawn = "yes";
      article.querySelector("details").open = false;
    } catch (failure) {
      place.hidden = true;
      console.error(`${id}: ${failure.message}`);
    }
  }
  document.documentElement.dataset.drawn = "yes";
}

const folds = document.getElementById("folds");
folds.hidden = false;
folds.addEventListener("click", () => {
  const all = [...document.querySelectorAll("details.of-chart")];
  const open = all.some((each) => !each.open);
  for (const each of all) each.open = open;
});
drawAll();

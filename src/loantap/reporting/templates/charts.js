"use strict";
// Draws every chart of the page. Without it the tables beside the charts say the same.
(() => {
  const draw = (place) => {
    const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    // `ast`: Vega interprets its expressions; the page forbids code made from text.
    const options = { ast: true, actions: false, renderer: "svg", tooltip: { theme: "custom" } };
    vegaEmbed(place, spec, options).catch((problem) => {
      place.textContent = `This chart could not be drawn: ${problem.message}`;
    });
  };
  document.querySelectorAll("[data-spec]").forEach(draw);
})();

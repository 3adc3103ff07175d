// Plots inside closed details have no size until these open.
for (const details of document.querySelectorAll("details.more"))
  details.addEventListener("toggle", () => {
    for (const plot of details.querySelectorAll(".js-plotly-plot")) Plotly.Plots.resize(plot);
  });
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details.more")) details.open = true;
  for (const plot of document.querySelectorAll(".js-plotly-plot")) Plotly.Plots.resize(plot);
});

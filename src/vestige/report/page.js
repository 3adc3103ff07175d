// Steps through the checkpoints of a figure. Pointer, keyboard and Play all move the same slider.
for (const stepper of document.querySelectorAll(".stepper")) {
  const plot = document.getElementById(stepper.dataset.plot);
  const labels = stepper.dataset.labels.split(";");
  const slider = stepper.querySelector("input");
  const output = stepper.querySelector("output");
  const play = stepper.querySelector("[data-do=play]");
  let timer = null;

  const show = (step) => {
    slider.value = Math.max(0, Math.min(labels.length - 1, step));
    const label = labels[slider.value];
    output.textContent = "Epoch " + label;
    slider.setAttribute("aria-valuetext", "Epoch " + label);
    Plotly.animate(plot, [label], {
      mode: "immediate",
      frame: { duration: 0, redraw: true },
      transition: { duration: 0 },
    });
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const advance = () => {
    if (Number(slider.value) >= labels.length - 1) stop();
    else show(Number(slider.value) + 1);
  };
  const start = () => {
    if (Number(slider.value) >= labels.length - 1) show(0);
    play.textContent = "Pause";
    timer = setInterval(advance, 700);
  };

  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => (timer ? stop() : start()));
  stepper.querySelector("[data-do=back]").addEventListener("click", () => { stop(); show(Number(slider.value) - 1); });
  stepper.querySelector("[data-do=forward]").addEventListener("click", () => { stop(); show(Number(slider.value) + 1); });
}
window.addEventListener("beforeprint", () => {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) Plotly.Plots.resize(plot);
});

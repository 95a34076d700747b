// The configuration form: presets fill it, sliders and boxes go together, and Start waits
// for an estimate of what the form holds now. The estimate itself comes from the server.

const form = document.getElementById("configure");
const start = document.getElementById("start");
const label = start.querySelector("[data-label]");
const box = (name) => form.elements[name];
const presets = [...form.querySelectorAll("[data-preset]")];
const valuesOf = (radio) => JSON.parse(radio.dataset.preset);
const same = (one, other) => Number(one) === Number(other);

function setBox(name, value) {
  box(name).value = value;
  moveSlider(box(name));
}

function sliderOf(input) {
  return form.querySelector(`input[type=range][data-for="${input.id}"]`);
}

function moveSlider(input) {
  const slider = sliderOf(input);
  if (!slider) return;
  slider.value = input.value;
  slider.setAttribute("aria-valuetext", input.value);
  const beyond = Number(input.value) > Number(slider.max);
  slider.parentElement.querySelector(".pinned").hidden = !beyond;
}

function showPreset() {
  const holds = (radio) => Object.entries(valuesOf(radio)).every(([name, value]) => same(box(name).value, value));
  const found = presets.find(holds);
  box("preset_id").value = found ? found.value : "custom";
}

function keepAlphaWithRank(rank) {
  const before = Number(form.dataset.rank);
  if (same(box("alpha").value, 2 * before)) box("alpha").value = Math.min(2 * rank, 512);
  form.dataset.rank = rank;
}

function allowCount(radio) {
  const most = radio.dataset.most;
  const count = box("gpu_count");
  for (const input of [count, sliderOf(count)]) input.max = most;
  sliderOf(count).disabled = most === "1";
  if (Number(count.value) > Number(most)) setBox("gpu_count", most);
}

function changed(event) {
  const input = event.target;
  if (input.dataset.preset) {
    Object.entries(valuesOf(input)).forEach(([name, value]) => setBox(name, value));
    form.dataset.rank = box("rank").value;
  } else if (input.dataset.for) {
    const target = document.getElementById(input.dataset.for);
    setBox(target.name, input.value);
    if (target.name === "rank") keepAlphaWithRank(Number(input.value));
  } else {
    moveSlider(input);
    if (input.name === "rank") keepAlphaWithRank(Number(input.value));
  }
  if (input.name === "gpu_type") allowCount(input);
  showPreset();
  wait();
}

function wait() {
  start.disabled = true;
  document.body.classList.add("estimating");
  document.getElementById("cost").setAttribute("aria-busy", "true");
}

function settle() {
  const cost = document.getElementById("cost");
  document.body.classList.remove("estimating");
  cost.removeAttribute("aria-busy");
  start.disabled = !cost.hasAttribute("data-ready");
  form.querySelectorAll("[data-error-of]").forEach((words) => {
    const input = document.getElementById(words.dataset.errorOf);
    const wrong = words.textContent.trim() !== "";
    if (input) input.setAttribute("aria-invalid", String(wrong));
  });
}

function outdated() {
  const cost = document.getElementById("cost");
  settle();
  start.disabled = true;
  cost.classList.add("is-stale");
  cost.querySelector(".stale").hidden = false;
}

function ready() {
  form.querySelectorAll("input[type=range]").forEach((slider) => {
    slider.hidden = false;
    moveSlider(document.getElementById(slider.dataset.for));
  });
  form.dataset.rank = box("rank").value;
  label.textContent = "Start training";
  const machine = form.querySelector("[name=gpu_type]:checked");
  if (machine) allowCount(machine);
  if (form.querySelector(".advanced .errorlist:not(:empty)")) form.querySelector(".advanced").open = true;
  showPreset();
  settle();
}

// Confirming is about the figures shown: it asks for no new ones, which would undo it.
function confirming(event) {
  if (event.target.name === "confirm_memory") event.stopPropagation();
}

document.body.classList.add("scripted");
form.addEventListener("input", confirming, true);
form.addEventListener("input", changed);
form.addEventListener("htmx:beforeRequest", wait);
form.addEventListener("htmx:afterSettle", settle);
form.addEventListener("htmx:responseError", outdated);
form.addEventListener("htmx:sendError", outdated);
form.addEventListener("htmx:timeout", outdated);
form.addEventListener("submit", (event) => {
  if (event.submitter !== start) return;
  label.textContent = "Starting …";
  setTimeout(() => (start.disabled = true));
});
document.addEventListener("click", (event) => {
  if (event.target.id !== "update") return;
  event.preventDefault();
  window.htmx.trigger(form, "refresh");
});
window.addEventListener("pageshow", ready);

// A refresh never takes away what is being pressed: while a pointer or a key is down, the
// answer of a poll is dropped, and the next one brings what it held.

let pressed = 0;
const press = () => (pressed = Date.now());
const release = () => (pressed = 0);
const LONGEST = 5000;

for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, press, true);
for (const name of ["pointerup", "pointercancel", "keyup"]) {
  // The click comes after the release: let it happen first.
  document.addEventListener(name, () => setTimeout(release), true);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const asking = event.detail.requestConfig?.elt;
  if (!asking?.hasAttribute("data-live")) return;
  if (pressed && Date.now() - pressed < LONGEST) event.detail.shouldSwap = false;
});

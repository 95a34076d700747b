// Copy buttons: `data-copy` names the element whose text is copied. They appear only where
// the browser lets a page write to the clipboard.

const SECONDS = 3;

async function copy(button) {
  const label = button.querySelector("[data-label]");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Not copied: select it and copy by hand";
  }
  setTimeout(() => (label.textContent = before), SECONDS * 1000);
}

if (navigator.clipboard) {
  document.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  });
}

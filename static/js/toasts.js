// Toasts: messages that the server wrote into the page, and failures of requests that
// would otherwise end in silence. Success leaves by itself, an error stays until closed.

const region = document.getElementById("toasts");
const SECONDS = 6;

// A refresh that fails again and again says so once.
const isShown = (words) => [...region.querySelectorAll(".toast p")].some((p) => p.textContent === words);

export function show(words, kind = "error") {
  if (kind === "error" && isShown(words)) return;
  const template = document.getElementById(`toast-${kind}`);
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent = words;
  region.append(toast);
  leave(toast);
}

function leave(toast) {
  if (!toast.classList.contains("error")) setTimeout(() => toast.remove(), SECONDS * 1000);
}

function wordsOf(response) {
  try {
    return JSON.parse(response.responseText).error;
  } catch {
    return `The console answered ${response.status}. Nothing was changed; try again.`;
  }
}

region.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) event.target.closest(".toast").remove();
});
document.addEventListener("htmx:responseError", (event) => show(wordsOf(event.detail.xhr)));
document.addEventListener("htmx:sendError", () =>
  show("The console did not answer. It may be restarting; your entries are kept."),
);
document.addEventListener("htmx:timeout", () => show("The console took too long to answer. Try again."));
document.addEventListener("toast", (event) => show(event.detail.words, event.detail.kind));
region.querySelectorAll(".toast").forEach(leave);

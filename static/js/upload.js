// The upload form: files are dropped on it, progress is that of the bytes sent, and a
// refused form comes back with its words. Without this script it is a plain form.

import { show } from "./toasts.js";

const form = document.getElementById("upload");
const input = form.elements.file;
const drop = form.querySelector(".drop");
const chosen = form.querySelector("[data-file-name]");
const sending = form.querySelector("[data-sending]");
const bar = sending.querySelector("progress");
const sent = sending.querySelector("[data-sent]");
const submit = form.querySelector("[type=submit]");
const cancel = form.querySelector("[data-cancel]");
const limit = Number(form.dataset.limit);
let request = null;

const units = ["bytes", "kB", "MB", "GB"];

function size(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

function showChosen() {
  const file = input.files[0];
  chosen.textContent = file ? `${file.name}, ${size(file.size)}` : "";
  if (file && file.size > limit) show(`${file.name} has ${size(file.size)}; at most ${size(limit)} are accepted.`);
}

function over(event) {
  event.preventDefault();
  drop.classList.add("over");
}

function dropped(event) {
  event.preventDefault();
  drop.classList.remove("over");
  if (request || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  showChosen();
}

function setSending(on) {
  sending.hidden = cancel.hidden = !on;
  submit.disabled = on;
  bar.value = 0;
  sent.textContent = on ? "Starting …" : "";
}

function progress(event) {
  const share = event.loaded / event.total;
  bar.value = 100 * share;
  const words = `${size(event.loaded)} of ${size(event.total)}`;
  sent.textContent = share < 1 ? words : "Stored; taking a first look …";
}

function answered() {
  const answer = request;
  stopped();
  if (answer.status === 200) {
    location.assign(answer.responseURL);
  } else if (answer.status === 422) {
    showRefused(answer.responseText);
  } else {
    show(`The upload was refused (${answer.status}). ${reason(answer.responseText)}`);
  }
}

function showRefused(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  form.querySelectorAll(".errorlist").forEach((list) => list.remove());
  page.querySelectorAll("#upload .errorlist").forEach((list) => {
    const place = list.id ? document.getElementById(list.id.replace(/_error$/, "")) : null;
    (place ? place.closest(".field") : form).append(list);
  });
  const first = form.querySelector(".errorlist");
  if (first) show(first.textContent);
}

function reason(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const words = page.querySelector("main p");
  return words ? words.textContent : "";
}

function stopped() {
  request = null;
  setSending(false);
}

function failed() {
  stopped();
  show("The connection was lost, and nothing was kept. Upload the file again.");
}

function send(event) {
  event.preventDefault();
  const file = input.files[0];
  if (request || (file && file.size > limit)) return showChosen();
  request = new XMLHttpRequest();
  request.upload.addEventListener("progress", progress);
  request.addEventListener("load", answered);
  request.addEventListener("error", failed);
  request.addEventListener("abort", stopped);
  request.open("POST", location.href);
  request.send(new FormData(form));
  setSending(true);
}

form.addEventListener("submit", send);
input.addEventListener("change", showChosen);
cancel.addEventListener("click", () => request && request.abort());
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, over);
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", dropped);
window.addEventListener("beforeunload", (event) => request && event.preventDefault());

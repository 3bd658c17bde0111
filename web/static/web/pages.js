// The pages work without this. With it they move: no reload to see what changed, and none to press a button.
import { morph } from "./morph.js";
import { watchOrder } from "./order.js";
import { watchStudio } from "./studio.js";
import "./upload.js";

const BREATH_MS = 500; // between two looks at a run that changes all the time
const LIST_BREATH_MS = 1500; // the same for a list, in which many runs may change
const REST_MS = 5000; // after being told that we ask too often

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function load(address, options = {}) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { answer, page };
}

function show(page) {
  const main = page.querySelector("main");
  if (!main) return;
  morph(document.querySelector("main"), main);
  document.title = page.title;
}

// --- a run, or the list of them: whenever it changes, its page is asked for again, one request at a time ------------

function watchRun(run) {
  const events = new EventSource(run.dataset.events);
  const breathMs = run.id === "runs" ? LIST_BREATH_MS : BREATH_MS;
  let isStale = false;
  let isLoading = false;

  async function refresh() {
    isStale = true;
    if (isLoading) return;
    isLoading = true;
    try {
      while (isStale) {
        isStale = false;
        const { answer, page } = await load(location.href);
        if (answer.ok) show(page);
        else isStale = answer.status === 429;
        if (!document.querySelector("[data-events]")) events.close();
        await pause(answer.ok ? breathMs : REST_MS);
      }
    } catch {
      // The server is away; the stream comes back by itself and rings again.
    } finally {
      isLoading = false;
    }
  }

  for (const name of ["snapshot", "runs"]) events.addEventListener(name, refresh);
  return events;
}

let stream = null;
function watch() {
  const run = document.querySelector("[data-events]");
  if (run && (!stream || stream.readyState === EventSource.CLOSED)) stream = watchRun(run);
}

// --- a button on a run: pressed once, carried out once -------------------------------------------------------------

async function press(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  button.setAttribute("aria-busy", "true");
  try {
    const { answer, page } = await load(button.getAttribute("formaction") ?? form.action, { method: "POST", body });
    const where = new URL(answer.url).pathname;
    if (answer.redirected && where !== location.pathname) {
      location.assign(answer.url);
      return;
    }
    show(page);
    (document.getElementById("problem") ?? form.closest(".step") ?? document.querySelector("main")).focus();
    watch();
  } catch {
    alert("The server does not answer. Press again in a moment: nothing happens twice.");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter: button } = event;
  if (!button) return;
  const isRefused = button.dataset.sure && !confirm(button.dataset.sure);
  if (isRefused || form.closest("#run")) event.preventDefault();
  if (isRefused || !form.closest("#run") || button.getAttribute("aria-busy") === "true") return;
  press(form, button);
});

const order = document.getElementById("order");
if (order) watchOrder(order, load, morph);
const studio = document.getElementById("studio");
if (studio) watchStudio(studio, load, morph);
watch();

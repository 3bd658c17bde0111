// The form of a recipe: its price follows what is typed, and each different order has a key of its own.
import { follow } from "./follow.js";

export function watchOrder(form, load, morph) {
  const ask = follow(form, form.dataset.plan, load, (page) => {
    morph(document.getElementById("plan"), page.getElementById("plan"));
  });

  form.addEventListener("input", () => {
    form.elements.key.value = freshKey();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter && "quote" in event.submitter.dataset) {
      event.preventDefault();
      ask();
    }
  });
}

function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

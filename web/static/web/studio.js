// The studio: numbers beside the lines, red ones where something is wrong, and a verdict that follows what is typed.
import { follow } from "./follow.js";

export function watchStudio(form, load, morph) {
  const text = form.elements.source;
  const lines = document.createElement("div");
  lines.className = "lines";
  lines.setAttribute("aria-hidden", "true");
  text.before(lines);

  function number() {
    const wrong = new Set([...document.querySelectorAll("#verdict [data-line]")].map((one) => Number(one.dataset.line)));
    const count = text.value.split("\n").length;
    lines.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const line = document.createElement("i");
        line.textContent = index + 1;
        line.classList.toggle("wrong", wrong.has(index + 1));
        return line;
      }),
    );
    lines.scrollTop = text.scrollTop;
  }

  text.addEventListener("input", number);
  text.addEventListener("scroll", () => (lines.scrollTop = text.scrollTop));
  document.addEventListener("click", (event) => {
    const error = event.target.closest?.("#verdict a[href='#source']")?.closest("[data-line]");
    if (!error) return;
    event.preventDefault();
    goTo(text, Number(error.dataset.line), Number(error.dataset.column || 1));
  });
  follow(form, form.dataset.check, load, (page) => {
    morph(document.getElementById("verdict"), page.getElementById("verdict"));
    number();
  });
  number();
}

function goTo(text, line, column) {
  const before = text.value.split("\n").slice(0, line - 1);
  const at = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  text.focus();
  text.setSelectionRange(at, at);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}

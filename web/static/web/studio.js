// The studio: lines that show where one is and what is wrong there, a verdict that follows what is typed, and a text
// that is not lost when its page is.
import { follow } from "./follow.js";

export function watchStudio(form, load, morph) {
  const editor = watchLines(form.elements.source);
  const kept = keepText(form);

  function take(page) {
    for (const id of ["prompts", "verdict"]) morph(document.getElementById(id), page.getElementById(id));
    editor.mark();
  }

  follow(form, form.dataset.check, load, (page) => {
    morph(document.getElementById("verdict"), page.getElementById("verdict"));
    editor.mark();
  });

  async function check(body) {
    const { answer, page } = await load(form.dataset.check, { method: "POST", body });
    if (!answer.ok) return false;
    take(page);
    return true;
  }

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button || !("check" in button.dataset)) {
      kept.forget();
      return;
    }
    event.preventDefault();
    const before = new Set(fields(form).keys());
    await check(fields(form, button));
    const begun = [...form.elements].find((one) => one.name.startsWith("prompt.") && !before.has(one.name));
    begun?.focus();
    kept.note();
  });

  kept.giveBack(async (said) => {
    form.elements.source.value = said.get("source");
    form.elements.visibility.value = said.get("visibility") ?? "";
    said.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    if (await check(said)) for (const [name, text] of said) if (name.startsWith("prompt.")) form.elements[name].value = text;
    editor.mark();
  });
}

function fields(form, button) {
  return new URLSearchParams(new FormData(form, button));
}

// --- a text that nobody kept yet: it stays in this tab, and leaving it is asked about --------------------------------

function keepText(form) {
  const name = `studio:${form.dataset.text}`;
  const read = () => {
    const said = fields(form);
    said.delete("csrfmiddlewaretoken");
    return said.toString();
  };
  const asItCame = read();
  let isLeaving = false;

  function note() {
    if (read() === asItCame) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, read());
  }

  form.addEventListener("input", note);
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && read() !== asItCame) event.preventDefault();
  });

  return {
    note,
    forget() {
      isLeaving = true;
      sessionStorage.removeItem(name);
    },
    giveBack(put) {
      const unkept = sessionStorage.getItem(name);
      if (unkept === null || unkept === asItCame) return;
      put(new URLSearchParams(unkept));
      const notice = document.createElement("div");
      notice.className = "notice care";
      notice.setAttribute("role", "status");
      notice.append("Your text that was not kept is back. ");
      const away = document.createElement("button");
      Object.assign(away, { type: "button", className: "quiet small", textContent: "Throw it away" });
      away.addEventListener("click", () => {
        this.forget();
        location.reload();
      });
      notice.append(away);
      form.closest("article").querySelector("header").after(notice);
    },
  };
}

// --- the lines: a number each, red where something is wrong, and where the caret is ---------------------------------

function watchLines(text) {
  const lines = document.createElement("div");
  lines.className = "lines";
  lines.setAttribute("aria-hidden", "true");
  const stripe = document.createElement("div");
  stripe.className = "stripe";
  text.before(stripe, lines);
  const said = document.getElementById("caret");
  said.hidden = false;

  function mark() {
    const wrong = new Map(
      [...document.querySelectorAll("#verdict [data-line]")].map((one) => [Number(one.dataset.line), one.dataset.said]),
    );
    const before = text.value.slice(0, text.selectionStart).split("\n");
    const [here, column] = [before.length, before.at(-1).length + 1];
    const count = text.value.split("\n").length;
    lines.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const line = document.createElement("i");
        line.textContent = index + 1;
        line.classList.toggle("wrong", wrong.has(index + 1));
        line.classList.toggle("here", here === index + 1);
        return line;
      }),
    );
    const told = `Line ${here}, column ${column}` + (wrong.has(here) ? `: ${wrong.get(here)}` : "");
    if (said.textContent !== told) said.textContent = told;
    said.classList.toggle("why", wrong.has(here));
    stripe.classList.toggle("wrong", wrong.has(here));
    scroll(here);
  }

  function scroll(here = text.value.slice(0, text.selectionStart).split("\n").length) {
    const look = getComputedStyle(text);
    lines.scrollTop = text.scrollTop;
    stripe.style.top = `${parseFloat(look.paddingTop) + (here - 1) * parseFloat(look.lineHeight) - text.scrollTop}px`;
  }

  text.addEventListener("input", mark);
  text.addEventListener("scroll", () => scroll());
  document.addEventListener("selectionchange", () => document.activeElement === text && mark());
  document.addEventListener("click", (event) => {
    const error = event.target.closest?.("#verdict a[href='#source']")?.closest("[data-line]");
    if (!error) return;
    event.preventDefault();
    goTo(text, Number(error.dataset.line), Number(error.dataset.column || 1));
    mark();
  });
  mark();
  return { mark };
}

function goTo(text, line, column) {
  const before = text.value.split("\n").slice(0, line - 1);
  const at = before.reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  text.focus();
  text.setSelectionRange(at, at);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
}

// The form of a recipe: its price follows what is typed, and each different order has a key of its own.

const PAUSE_MS = 450;

export function watchOrder(form, load, morph) {
  const plan = () => document.getElementById("plan");
  let timer = 0;
  let asking = null;

  async function quote() {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    try {
      const { page } = await load(form.dataset.plan, { method: "POST", body, signal: asking.signal });
      const fresh = page.getElementById("plan");
      if (fresh) morph(plan(), fresh);
    } catch {
      // Asked again already, or the server is away: the last price stays.
    }
  }

  function changed() {
    form.elements.key.value = freshKey();
    clearTimeout(timer);
    timer = setTimeout(quote, PAUSE_MS);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => {
    if (event.submitter && "quote" in event.submitter.dataset) {
      event.preventDefault();
      quote();
    }
  });
}

function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

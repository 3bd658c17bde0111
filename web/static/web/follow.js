// Asks the server again what it thinks of a form, a moment after somebody has stopped typing.

const PAUSE_MS = 450;

export function follow(form, address, load, show) {
  let timer = 0;
  let asking = null;

  async function ask() {
    clearTimeout(timer);
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    try {
      const { answer, page } = await load(address, { method: "POST", body, signal: asking.signal });
      if (answer.ok) show(page);
    } catch {
      // Asked again already, or the server is away: what was shown last stays.
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  return ask;
}

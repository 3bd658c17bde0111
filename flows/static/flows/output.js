// The output of a run that has not ended: what comes after the tail that the page was made with.
document.addEventListener("DOMContentLoaded", () => {
  const MOST = 1_000_000; // characters that are shown; of more the page would become slow
  const ENDS = {
    401: "You are logged out; log in and load the page again to see more.",
    403: "This account may not follow the output; load the page again to see more.",
    404: "The run has been deleted.",
  };
  const output = document.querySelector(".flow-output");
  if (!output?.dataset.from) return;
  const told = output.nextElementSibling;
  let { after } = output.dataset;
  let shown = output.textContent.length;
  let wait = 1000;

  const tell = (words) => {
    if (told.textContent !== words) told.textContent = words;
  };

  const part = (kind, text) => {
    const span = document.createElement("span");
    span.className = `flow-${kind}`;
    span.textContent = text;
    shown += text.length;
    return span;
  };

  const forget = () => {
    while (shown > MOST && output.childElementCount > 1) {
      shown -= output.firstElementChild.textContent.length;
      output.firstElementChild.remove();
    }
  };

  const show = (page) => {
    const isAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 8;
    const parts = document.createDocumentFragment();
    let attempt = Number(after.split(".")[0]);
    for (const piece of page.output) {
      if (piece.attemptNumber > Math.max(attempt, 1)) parts.append(part("mark", `attempt ${piece.attemptNumber}\n`));
      attempt = piece.attemptNumber;
      parts.append(part(piece.kind, piece.text));
    }
    output.append(parts);
    forget();
    after = page.next;
    if (isAtEnd) output.scrollTop = output.scrollHeight;
  };

  const look = async () => {
    let page;
    try {
      const answer = await fetch(`${output.dataset.from}?after=${after}`, {
        cache: "no-store",
        credentials: "same-origin",
        signal: AbortSignal.timeout(30_000),
      });
      if (answer.status in ENDS) {
        tell(ENDS[answer.status]);
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      page = await answer.json();
    } catch {
      wait = Math.min(wait * 2, 30_000);
      tell("The server does not answer; it is asked again.");
      setTimeout(look, wait);
      return;
    }
    wait = 1000;
    if (page.output.length) show(page);
    if (page.isFinal && !page.output.length) {
      tell("The run has ended; load the page again to see what came of it.");
      return;
    }
    tell("Follows the output.");
    setTimeout(look, page.output.length ? 100 : wait);
  };

  output.scrollTop = output.scrollHeight;
  look();
});

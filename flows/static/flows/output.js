// The output of a run that has not ended: what comes after the tail that the page was made with.
document.addEventListener("DOMContentLoaded", () => {
  const output = document.querySelector(".flow-output");
  if (!output || !output.dataset.from) return;
  const told = output.nextElementSibling;
  let wait = 1000;

  const show = (pieces) => {
    const wasAtEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 8;
    for (const piece of pieces) {
      const part = document.createElement("span");
      part.className = `flow-${piece.kind}`;
      part.textContent = piece.text;
      output.append(part);
    }
    if (wasAtEnd) output.scrollTop = output.scrollHeight;
  };

  const look = async () => {
    let page;
    try {
      const answer = await fetch(`${output.dataset.from}?after=${output.dataset.after}`, { credentials: "same-origin" });
      if (answer.status === 401 || answer.status === 403) {
        told.textContent = "This account may not follow the output; load the page again to see more.";
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      page = await answer.json();
    } catch {
      wait = Math.min(wait * 2, 30000);
      told.textContent = "The server does not answer; it is asked again.";
      setTimeout(look, wait);
      return;
    }
    wait = 1000;
    show(page.output);
    output.dataset.after = page.next;
    if (page.isFinal && page.output.length === 0) {
      told.textContent = "The run has ended.";
      return;
    }
    told.textContent = "Follows the output.";
    setTimeout(look, page.output.length ? 100 : wait);
  };

  output.scrollTop = output.scrollHeight;
  look();
});

// Makes one piece of the page like another, and touches nothing that is alike: films go on playing, focus stays.

// What a person changed, and the server does not know.
const OWN = new Set(["open", "aria-busy", "disabled"]);

export function morph(here, there) {
  if (here.isEqualNode(there)) return;
  if (here.nodeName !== there.nodeName || idOf(here) !== idOf(there)) {
    here.replaceWith(there.cloneNode(true));
    return;
  }
  if (here.nodeType !== Node.ELEMENT_NODE) {
    here.nodeValue = there.nodeValue;
    return;
  }
  // What is shown once stays until there is another.
  if (here.dataset && "kept" in here.dataset && !there.childElementCount) return;
  attributes(here, there);
  children(here, there);
}

function attributes(here, there) {
  for (const { name, value } of there.attributes) {
    if (!OWN.has(name) && here.getAttribute(name) !== value) here.setAttribute(name, value);
  }
  for (const { name } of [...here.attributes]) {
    if (!OWN.has(name) && !there.hasAttribute(name)) here.removeAttribute(name);
  }
}

function children(here, there) {
  const named = new Map([...here.children].filter(idOf).map((child) => [child.id, child]));
  let next = here.firstChild;
  for (const wanted of there.childNodes) {
    const known = idOf(wanted) ? named.get(wanted.id) : undefined;
    if (known && known !== next) {
      here.insertBefore(known, next);
      morph(known, wanted);
    } else if (next && (known || (!idOf(next) && !idOf(wanted) && next.nodeName === wanted.nodeName))) {
      const after = next.nextSibling;
      morph(next, wanted);
      next = after;
    } else {
      here.insertBefore(wanted.cloneNode(true), next);
    }
  }
  while (next) {
    const after = next.nextSibling;
    next.remove();
    next = after;
  }
}

function idOf(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id : "";
}

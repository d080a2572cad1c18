// The list of scoring rules says how many leads match each. Counting reads all leads, so the list does not wait for it:
// the page of counts is fetched once the list is there. Without JavaScript its link leads to that page.

const links = [...document.querySelectorAll("a[data-matches]")];

async function count() {
  for (const link of links) link.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(links[0].href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const link of links) {
      const found = page.getElementById(`matches-${link.dataset.matches}`);
      if (found) link.replaceWith(found.textContent);
    }
  } catch {
    // the links stay, and say what is wrong
  }
  for (const link of links) link.removeAttribute("aria-busy");
}

if (links.length) count();

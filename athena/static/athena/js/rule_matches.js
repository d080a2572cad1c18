// Fills in how many leads match each scoring rule. Counting reads all leads, so the list does not wait for it: the page of
// counts is fetched after the list is shown. Without JavaScript, each link leads to that page.

const links = [...document.querySelectorAll("a[data-matches]")];

async function showCounts() {
  for (const link of links) link.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(links[0].href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const link of links) {
      const count = page.getElementById(`matches-${link.dataset.matches}`);
      if (count) link.replaceWith(count.textContent);
    }
  } catch {
    // the links stay; the page behind them shows the error
  }
  for (const link of links) link.removeAttribute("aria-busy");
}

if (links.length) showCounts();

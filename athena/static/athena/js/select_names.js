// Gives the admin's search boxes (Select2) the name of their field, for screen readers.

function nameSearchBoxes(root) {
  for (const select of root.querySelectorAll("select.admin-autocomplete[id]")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    if (!label || !box) continue;
    label.id ||= `${select.id}-label`;
    const shown = box.querySelector(".select2-selection__rendered");
    box.setAttribute("aria-labelledby", `${label.id} ${shown?.id ?? ""}`.trim());
    if (shown?.getAttribute("role") === "textbox") shown.setAttribute("aria-label", label.textContent.trim());
    box.parentElement.parentElement.querySelector(".select2-search__field")?.setAttribute("aria-label", label.textContent.trim());
  }
}

window.django?.jQuery?.(() => nameSearchBoxes(document)); // after jQuery has let the admin create them
document.addEventListener("formset:added", (event) => requestAnimationFrame(() => nameSearchBoxes(event.target)));
